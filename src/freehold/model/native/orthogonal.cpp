// The nearest orthogonal matrix of each of a stack, by iterations that never leave the cache.
//
// Of the two products that are symmetric only one half is multiplied out.
#include "tiles.hpp"

namespace {

// to (columns, rows) = from (rows, columns)'.
void flip(const half* from, int64_t rows, int64_t columns, half* to, half* pairs) {
  pack_along(from, columns, rows, columns, pairs, rows * SIDE);
  for (int64_t c = 0; c < columns; c += 16)
    for (int64_t r = 0; r < rows; r += SIDE)
      transpose_pairs((const uint32_t*)(pairs + c / SIDE * rows * SIDE) + r / 2 * SIDE + c % SIDE, SIDE,
                      (uint32_t*)to + (c * rows + r) / 2, rows / 2);
}

// out (rows, rows) = left b + right a a', where a (rows, depth) is packed across and left may be null (then right is 1).
void symmetric(const half* a, const half* across, int64_t rows, int64_t depth, const half* left, float b, float right,
               half* out) {
  alignas(64) float sums[SIDE * SIDE], across_sums[SIDE * SIDE];
  for (int64_t n = 0; n < rows; n += SIDE)
    for (int64_t m = 0; m <= n; m += SIDE) {
      product<false>(a + m * depth, depth * 2, 64, across + n * depth, depth, sums, SIDE * 4);
      for (int64_t i = 0; i < SIDE; i++)
        for (int64_t j = 0; j < SIDE; j += 16) {
          float* sum = sums + i * SIDE + j;
          if (left) {
            const __m512 before = _mm512_mul_ps(_mm512_set1_ps(b), widen(left + (m + i) * rows + n + j));
            _mm512_store_ps(sum, _mm512_fmadd_ps(_mm512_set1_ps(right), _mm512_load_ps(sum), before));
          }
          narrow(out + (m + i) * rows + n + j, _mm512_load_ps(sum));
        }
      for (int64_t i = 0; i < SIDE && m < n; i += 16)
        for (int64_t j = 0; j < SIDE; j += 16)
          transpose_pairs((uint32_t*)sums + i * SIDE + j, SIDE, (uint32_t*)across_sums + j * SIDE + i, SIDE);
      for (int64_t i = 0; i < SIDE && m < n; i++)
        for (int64_t j = 0; j < SIDE; j += 16)
          narrow(out + (n + i) * rows + m + j, _mm512_load_ps(across_sums + i * SIDE + j));
    }
}

}  // namespace

extern "C" {

// x (count, rows, columns) in place: scaled below length 1, then x = a x + (b g + c g g) x with g = x x', once for each
// of `turns` triples (a, b, c).
int orthogonal(half* stack, int64_t count, int64_t rows, int64_t columns, const float* triples, int64_t turns) {
  const bool tall = rows > columns;
  const int64_t low = tall ? columns : rows, wide = tall ? rows : columns, area = rows * columns;
  int lacking = 0;
#pragma omp parallel reduction(| : lacking)
  {
    Tiles tiles;
    Buffer<half> x(area, lacking), packed(area, lacking);
    Buffer<half> gram(low * low, lacking), gram_across(low * low, lacking), mix(low * low, lacking);
    alignas(64) float sums[SIDE * SIDE];
#pragma omp for schedule(static)
    for (int64_t z = 0; z < count; z++) {
      if (lacking) continue;
      half* given = stack + z * area;
      __m512 squares = _mm512_setzero_ps();
      for (int64_t i = 0; i < area; i += 16) {
        const __m512 value = widen(given + i);
        squares = _mm512_fmadd_ps(value, value, squares);
      }
      const __m512 shrink = _mm512_set1_ps(1.0f / (std::sqrt(_mm512_reduce_add_ps(squares)) * 1.02f + 1e-6f));
      for (int64_t i = 0; i < area; i += 16) narrow((tall ? given : x.data) + i, _mm512_mul_ps(widen(given + i), shrink));
      if (tall) flip(given, rows, columns, x, packed);
      for (int64_t turn = 0; turn < turns; turn++) {
        const float *triple = triples + turn * 3;
        const __m512 keep = _mm512_set1_ps(triple[0]);
        for (int64_t n = 0; n < low; n += SIDE) pack_across(x + n * wide, wide, wide, packed + n * wide);
        symmetric(x, packed, low, wide, nullptr, 0.0f, 1.0f, gram);
        for (int64_t n = 0; n < low; n += SIDE) pack_across(gram + n * low, low, low, gram_across + n * low);
        symmetric(gram, gram_across, low, low, gram, triple[1], triple[2], mix);
        pack_along(x, wide, low, wide, packed, low * SIDE);
        for (int64_t n = 0; n < wide; n += SIDE)
          for (int64_t m = 0; m < low; m += SIDE) {
            product<false>(mix + m * low, low * 2, 64, packed + n * low, low, sums, SIDE * 4);
            for (int64_t i = 0; i < SIDE; i++)
              for (int64_t j = 0; j < SIDE; j += 16) {
                half* to = x + (m + i) * wide + n + j;
                narrow(to, _mm512_fmadd_ps(keep, widen(to), _mm512_load_ps(sums + i * SIDE + j)));
              }
          }
      }
      if (tall) flip(x, low, wide, given, packed);
      else std::memcpy(given, x, area * sizeof(half));
    }
  }
  return lacking;
}

}  // extern "C"
