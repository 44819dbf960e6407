// Causal attention, forward and backward, in strips of 32 rows that stay in the cache.
#include "tiles.hpp"

namespace {

// On the diagonal: a row of 32 numbers sees those up to its own place `i` (hide), or from it on (hide_before).
inline void hide(float* row, int64_t i) {
  for (int64_t n = i + 1; n < SIDE; n++) row[n] = -INFINITY;
}
inline void hide_before(float* row, int64_t i) {
  for (int64_t n = 0; n < i; n++) row[n] = -INFINITY;
}

}  // namespace

extern "C" {

// Causal attention of q (groups of heads that share keys: stacks, group, length, size) over k and v (stacks, length,
// size), scores times `scale`. Writes o as q lies, and for every query the base-2 logarithm of its sum of exponentials.
int attend(const half* q, const half* k, const half* v, int64_t stacks, int64_t group, int64_t length, int64_t size,
           float scale, half* o, float* log_sum) {
  const int64_t area = length * size;
  int lacking = 0;
#pragma omp parallel reduction(| : lacking)
  {
    Tiles tiles;
    Buffer<half> k_across(area, lacking), v_along(area, lacking), raised(SIDE * length, lacking);
    Buffer<float> scores(SIDE * length, lacking);
    alignas(64) float mixed[SIDE * SIDE], total[SIDE];
    const __m512 steep = _mm512_set1_ps(scale * LOG2_E);
#pragma omp for schedule(static)
    for (int64_t z = 0; z < stacks; z++) {
      if (lacking) continue;
      for (int64_t n = 0; n < length; n += SIDE) pack_across(k + z * area + n * size, size, size, k_across + n * size);
      pack_along(v + z * area, size, length, size, v_along, length * SIDE);
      for (int64_t g = z * group; g < (z + 1) * group; g++)
        for (int64_t t = 0; t < length; t += SIDE) {
          const int64_t seen = t + SIDE;
          for (int64_t n = 0; n < seen; n += SIDE)
            product<false>(q + g * area + t * size, size * 2, 64, k_across + n * size, size, scores + n, length * 4);
          for (int64_t i = 0; i < SIDE; i++) {
            float* row = scores + i * length;
            hide(row + t, i);
            __m512 top = _mm512_loadu_ps(row), sum = _mm512_setzero_ps();
            for (int64_t n = 16; n < seen; n += 16) top = _mm512_max_ps(top, _mm512_loadu_ps(row + n));
            const float shift = _mm512_reduce_max_ps(top) * scale * LOG2_E;
            for (int64_t n = 0; n < seen; n += 16) {
              const __m512 power = raise(_mm512_fmsub_ps(_mm512_loadu_ps(row + n), steep, _mm512_set1_ps(shift)));
              sum = _mm512_add_ps(sum, power);
              narrow(raised + i * length + n, power);
            }
            total[i] = _mm512_reduce_add_ps(sum);
            log_sum[g * length + t + i] = shift + __builtin_log2f(total[i]);
          }
          for (int64_t c = 0; c < size; c += SIDE) {
            product<false>(raised, length * 2, 64, v_along + c * length, seen, mixed, SIDE * 4);
            for (int64_t i = 0; i < SIDE; i++)
              for (int64_t n = 0; n < SIDE; n += 16)
                narrow(o + g * area + (t + i) * size + c + n,
                       _mm512_mul_ps(_mm512_load_ps(mixed + i * SIDE + n), _mm512_set1_ps(1.0f / total[i])));
          }
        }
    }
  }
  return lacking;
}

// The gradients of `attend`: dq as q lies, dk and dv as k (FlashAttention-2, arXiv:2307.08691, algorithm 2).
int attend_back(const half* q, const half* k, const half* v, const half* o, const half* d_o, const float* log_sum,
                int64_t stacks, int64_t group, int64_t length, int64_t size, float scale, half* dq, half* dk, half* dv) {
  const int64_t area = length * size;
  int lacking = 0;
#pragma omp parallel reduction(| : lacking)
  {
    Tiles tiles;
    Buffer<half> k_across(area, lacking), k_along(area, lacking), v_across(area, lacking);
    Buffer<half> q_across(area, lacking), q_along(area, lacking), do_across(area, lacking), do_along(area, lacking);
    Buffer<half> raised(SIDE * length, lacking), slope(SIDE * length, lacking);
    Buffer<float> scores(SIDE * length, lacking), pulls(SIDE * length, lacking), inner(length, lacking);
    Buffer<float> dk_sum(area, lacking), dv_sum(area, lacking);
    alignas(64) float mixed[SIDE * SIDE];
    const __m512 steep = _mm512_set1_ps(scale * LOG2_E), wide = _mm512_set1_ps(scale);
#pragma omp for schedule(static)
    for (int64_t z = 0; z < stacks; z++) {
      if (lacking) continue;
      for (int64_t n = 0; n < length; n += SIDE) {
        pack_across(k + z * area + n * size, size, size, k_across + n * size);
        pack_across(v + z * area + n * size, size, size, v_across + n * size);
      }
      pack_along(k + z * area, size, length, size, k_along, length * SIDE);
      std::memset(dk_sum, 0, area * sizeof(float));
      std::memset(dv_sum, 0, area * sizeof(float));
      for (int64_t g = z * group; g < (z + 1) * group; g++) {
        const half *queries = q + g * area, *pulled = d_o + g * area;
        const float* logs = log_sum + g * length;
        for (int64_t n = 0; n < length; n += SIDE) {
          pack_across(queries + n * size, size, size, q_across + n * size);
          pack_across(pulled + n * size, size, size, do_across + n * size);
        }
        pack_along(queries, size, length, size, q_along, length * SIDE);
        pack_along(pulled, size, length, size, do_along, length * SIDE);
        for (int64_t t = 0; t < length; t++) {
          __m512 sum = _mm512_setzero_ps();
          for (int64_t c = 0; c < size; c += 16)
            sum = _mm512_fmadd_ps(widen(pulled + t * size + c), widen(o + g * area + t * size + c), sum);
          inner[t] = _mm512_reduce_add_ps(sum);
        }
        for (int64_t s = 0; s < length; s += SIDE) {  // keys as rows, the queries that see them as columns
          for (int64_t n = s; n < length; n += SIDE) {
            product<false>(k + z * area + s * size, size * 2, 64, q_across + n * size, size, scores + n, length * 4);
            product<false>(v + z * area + s * size, size * 2, 64, do_across + n * size, size, pulls + n, length * 4);
          }
          for (int64_t i = 0; i < SIDE; i++) {
            hide_before(scores + i * length + s, i);
            for (int64_t n = s; n < length; n += 16) {
              const __m512 power =
                  raise(_mm512_fmsub_ps(_mm512_loadu_ps(scores + i * length + n), steep, _mm512_loadu_ps(logs + n)));
              const __m512 pull = _mm512_sub_ps(_mm512_loadu_ps(pulls + i * length + n), _mm512_loadu_ps(inner + n));
              narrow(raised + i * length + n, power);
              narrow(slope + i * length + n, _mm512_mul_ps(_mm512_mul_ps(power, wide), pull));
            }
          }
          for (int64_t c = 0; c < size; c += SIDE) {
            product<true>(raised + s, length * 2, 64, do_along + c * length + s * SIDE, length - s,
                          dv_sum + s * size + c, size * 4);
            product<true>(slope + s, length * 2, 64, q_along + c * length + s * SIDE, length - s,
                          dk_sum + s * size + c, size * 4);
          }
        }
        for (int64_t t = 0; t < length; t += SIDE) {  // queries as rows, the keys they see as columns
          const int64_t seen = t + SIDE;
          for (int64_t n = 0; n < seen; n += SIDE) {
            product<false>(queries + t * size, size * 2, 64, k_across + n * size, size, scores + n, length * 4);
            product<false>(pulled + t * size, size * 2, 64, v_across + n * size, size, pulls + n, length * 4);
          }
          for (int64_t i = 0; i < SIDE; i++) {
            hide(scores + i * length + t, i);
            const __m512 log = _mm512_set1_ps(logs[t + i]), own = _mm512_set1_ps(inner[t + i]);
            for (int64_t n = 0; n < seen; n += 16) {
              const __m512 power = raise(_mm512_fmsub_ps(_mm512_loadu_ps(scores + i * length + n), steep, log));
              const __m512 pull = _mm512_sub_ps(_mm512_loadu_ps(pulls + i * length + n), own);
              narrow(slope + i * length + n, _mm512_mul_ps(_mm512_mul_ps(power, wide), pull));
            }
          }
          for (int64_t c = 0; c < size; c += SIDE) {
            product<false>(slope, length * 2, 64, k_along + c * length, seen, mixed, SIDE * 4);
            for (int64_t i = 0; i < SIDE; i++)
              for (int64_t n = 0; n < SIDE; n += 16)
                narrow(dq + g * area + (t + i) * size + c + n, _mm512_load_ps(mixed + i * SIDE + n));
          }
        }
      }
      for (int64_t i = 0; i < area; i += 16) {
        narrow(dk + z * area + i, _mm512_loadu_ps(dk_sum + i));
        narrow(dv + z * area + i, _mm512_loadu_ps(dv_sum + i));
      }
    }
  }
  return lacking;
}

}  // extern "C"
