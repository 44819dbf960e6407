// What happens between the products, row by row: norm with or without rotary positions, and SwiGLU.
#include "tiles.hpp"

namespace {

inline float inverse_root(const half* x, int64_t size, float epsilon) {
  __m512 sum = _mm512_setzero_ps();
  for (int64_t c = 0; c < size; c += 16) {
    const __m512 value = widen(x + c);
    sum = _mm512_fmadd_ps(value, value, sum);
  }
  return 1.0f / std::sqrt(_mm512_reduce_add_ps(sum) / size + epsilon);
}

inline __m512 sigmoid(__m512 x) {
  const __m512 one = _mm512_set1_ps(1.0f);
  return _mm512_div_ps(one, _mm512_add_ps(one, raise(_mm512_mul_ps(x, _mm512_set1_ps(-LOG2_E)))));
}

}  // namespace

extern "C" {

// Root mean square norm of x (batch, length, heads, size) into y (batch, heads, length, size), in fp32 throughout.
// With `cosine` and `sine` (length, size) each pair (c, c + size / 2) is then turned by its position's angle.
int norm(const half* x, const half* weight, const float* cosine, const float* sine, int64_t batch, int64_t length,
         int64_t heads, int64_t size, float epsilon, half* y) {
  const int64_t middle = size / 2;
#pragma omp parallel for schedule(static)
  for (int64_t position = 0; position < batch * length; position++) {
    const int64_t b = position / length, t = position % length;
    for (int64_t h = 0; h < heads; h++) {
      const half* from = x + (position * heads + h) * size;
      half* to = y + ((b * heads + h) * length + t) * size;
      const __m512 root = _mm512_set1_ps(inverse_root(from, size, epsilon));
      for (int64_t c = 0; c < middle; c += 16) {
        const __m512 left = _mm512_mul_ps(_mm512_mul_ps(widen(from + c), root), widen(weight + c));
        const __m512 right = _mm512_mul_ps(_mm512_mul_ps(widen(from + middle + c), root), widen(weight + middle + c));
        if (cosine) {
          const __m512 cos = _mm512_loadu_ps(cosine + t * size + c), sin = _mm512_loadu_ps(sine + t * size + c);
          narrow(to + c, _mm512_fmsub_ps(left, cos, _mm512_mul_ps(right, sin)));
          narrow(to + middle + c, _mm512_fmadd_ps(right, cos, _mm512_mul_ps(left, sin)));
        } else {
          narrow(to + c, left);
          narrow(to + middle + c, right);
        }
      }
    }
  }
  return 0;
}

// The gradients of `norm`: dx as x lies; `sums` (stretches of `span` positions, size) are the parts of the weight's.
int norm_back(const half* x, const half* weight, const float* cosine, const float* sine, const half* dy, int64_t batch,
              int64_t length, int64_t heads, int64_t size, int64_t span, float epsilon, half* dx, float* sums) {
  const int64_t middle = size / 2, positions = batch * length;
  int lacking = 0;
#pragma omp parallel reduction(| : lacking)
  {
    Buffer<float> pulls(size, lacking);
#pragma omp for schedule(static)
    for (int64_t n = 0; n < (positions + span - 1) / span; n++) {
      if (lacking) continue;
      float* sum = sums + n * size;
      std::memset(sum, 0, size * sizeof(float));
      for (int64_t position = n * span; position < least(positions, (n + 1) * span); position++) {
        const int64_t b = position / length, t = position % length;
        for (int64_t h = 0; h < heads; h++) {
          const half *from = x + (position * heads + h) * size, *pulled = dy + ((b * heads + h) * length + t) * size;
          half* to = dx + (position * heads + h) * size;
          const float inverse = inverse_root(from, size, epsilon);
          const __m512 root = _mm512_set1_ps(inverse);
          __m512 shared = _mm512_setzero_ps();
          for (int64_t c = 0; c < middle; c += 16) {
            __m512 left = widen(pulled + c), right = widen(pulled + middle + c);
            if (cosine) {
              const __m512 cos = _mm512_loadu_ps(cosine + t * size + c), sin = _mm512_loadu_ps(sine + t * size + c);
              const __m512 turned = _mm512_fmadd_ps(left, cos, _mm512_mul_ps(right, sin));
              right = _mm512_fmsub_ps(right, cos, _mm512_mul_ps(left, sin));
              left = turned;
            }
            const __m512 near = _mm512_mul_ps(widen(from + c), root), far = _mm512_mul_ps(widen(from + middle + c), root);
            _mm512_storeu_ps(sum + c, _mm512_fmadd_ps(left, near, _mm512_loadu_ps(sum + c)));
            _mm512_storeu_ps(sum + middle + c, _mm512_fmadd_ps(right, far, _mm512_loadu_ps(sum + middle + c)));
            left = _mm512_mul_ps(left, widen(weight + c));
            right = _mm512_mul_ps(right, widen(weight + middle + c));
            shared = _mm512_fmadd_ps(left, near, _mm512_fmadd_ps(right, far, shared));
            _mm512_storeu_ps(pulls + c, left);
            _mm512_storeu_ps(pulls + middle + c, right);
          }
          const __m512 mean = _mm512_set1_ps(_mm512_reduce_add_ps(shared) / size * inverse);
          for (int64_t c = 0; c < size; c += 16)
            narrow(to + c, _mm512_mul_ps(root, _mm512_fnmadd_ps(widen(from + c), mean, _mm512_loadu_ps(pulls + c))));
        }
      }
    }
  }
  return lacking;
}

// y = silu(gate) up.
int gated(const half* gate, const half* up, int64_t count, half* y) {
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; i += 16) {
    const __m512 x = widen(gate + i);
    narrow(y + i, _mm512_mul_ps(_mm512_mul_ps(x, sigmoid(x)), widen(up + i)));
  }
  return 0;
}

// The gradients of `gated`.
int gated_back(const half* gate, const half* up, const half* dy, int64_t count, half* d_gate, half* d_up) {
  const __m512 one = _mm512_set1_ps(1.0f);
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < count; i += 16) {
    const __m512 x = widen(gate + i), open = sigmoid(x), pull = widen(dy + i);
    const __m512 rise = _mm512_fmadd_ps(_mm512_mul_ps(x, open), _mm512_sub_ps(one, open), open);
    narrow(d_up + i, _mm512_mul_ps(pull, _mm512_mul_ps(x, open)));
    narrow(d_gate + i, _mm512_mul_ps(_mm512_mul_ps(pull, widen(up + i)), rise));
  }
  return 0;
}

}  // extern "C"
