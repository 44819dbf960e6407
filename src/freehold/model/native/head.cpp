// Head and cross-entropy: softmax without ever writing the logits.
//
// They are multiplied out twice, once for the sums and the gradient of x, once for that of w: cheaper than storing
// and reading them, and nothing of size rows x words exists.
#include "tiles.hpp"

namespace {

// Rows of a block so that its sums, its operand and a strip of exponentials stay in the second cache (2 MB).
inline int64_t block_rows(int64_t width) {
  const int64_t rows = (1 << 20) / (width * 6) / SIDE * SIDE;
  return rows < SIDE ? SIDE : least(rows, 512);
}
constexpr int64_t BLOCK_COLUMNS = 256;

// A block of rows of a against all columns of b: out (rows x width) = 2^(a b' LOG2_E - shift) d.
struct Spread {
  const half *a, *b, *d;  // b and d are packed
  int64_t rows, width, columns;
  const float *row_shift, *column_shift;  // one of them is null
  float *sums, *out;                      // sums (rows, 16), or null: of each row's exponentials
  half* strip;                            // of exponentials (rows, BLOCK_COLUMNS)
  alignas(64) float logits[2][SIDE * SIDE];

  // Row i of the 32 x 32 logits at (m, n): its exponentials into the strip.
  inline void raise_row(const float* found, int64_t m, int64_t n, int64_t i) {
    const __m512 scale = _mm512_set1_ps(LOG2_E);
    __m512 low, high;
    if (row_shift) {
      low = high = _mm512_set1_ps(row_shift[m + i]);
    } else {
      low = _mm512_loadu_ps(column_shift + n);
      high = _mm512_loadu_ps(column_shift + n + 16);
    }
    low = raise(_mm512_fmsub_ps(_mm512_load_ps(found + i * SIDE), scale, low));
    high = raise(_mm512_fmsub_ps(_mm512_load_ps(found + i * SIDE + 16), scale, high));
    if (sums) {
      float* sum = sums + (m + i) * 16;
      _mm512_storeu_ps(sum, _mm512_add_ps(_mm512_loadu_ps(sum), _mm512_add_ps(low, high)));
    }
    half* to = strip + (m + i) * BLOCK_COLUMNS + n % BLOCK_COLUMNS;
    narrow(to, low);
    narrow(to + 16, high);
  }

  void run() {
    std::memset(out, 0, rows * width * sizeof(float));
    const int64_t at_once = (SIDE * SIDE + width - 1) / width;  // rows to raise for every 32 of a product's depth
    for (int64_t start = 0; start < columns; start += BLOCK_COLUMNS) {
      const int64_t count = least(BLOCK_COLUMNS, columns - start);
      int64_t turn = 0, last_m = -1, last_n = 0;
      for (int64_t n = start; n < start + count; n += SIDE)
        for (int64_t m = 0; m < rows; m += SIDE, turn ^= 1) {
          const float* before = logits[turn ^ 1];
          int64_t i = last_m < 0 ? SIDE : 0;  // the block before is raised while this one is multiplied
          product<false>(a + m * width, width * 2, 64, b + n * width, width, logits[turn], SIDE * 4, [&](int64_t) {
            for (const int64_t end = least(SIDE, i + at_once); i < end; i++) raise_row(before, last_m, last_n, i);
          });
          last_m = m, last_n = n;
        }
      for (int64_t i = 0; i < SIDE; i++) raise_row(logits[turn ^ 1], last_m, last_n, i);
      for (int64_t m = 0; m < rows; m += SIDE)
        for (int64_t c = 0; c < width; c += SIDE)
          product<true>(strip + m * BLOCK_COLUMNS, BLOCK_COLUMNS * 2, 64, d + c * columns + start * SIDE, count,
                        out + m * width + c, width * 4);
    }
  }
};

}  // namespace

extern "C" {

// Cross-entropy of softmax(x w') and its gradients; x (rows, width), w (words, width).
// `answer` is each row's logit of its target, `share` what its loss counts (0: not at all). Writes each row's negative
// log-likelihood, dx and, if it is not null, dw.
int head(const half* x, const half* w, const int64_t* target, const float* answer, const float* share, int64_t rows,
         int64_t words, int64_t width, float* nll, half* dx, half* dw) {
  int lacking = 0;
  Buffer<half> w_across(words * width, lacking), w_along(words * width, lacking);
  Buffer<half> x_across(rows * width, lacking), x_along(rows * width, lacking), scaled(rows * width, lacking);
  Buffer<float> shift(rows, lacking);
  if (lacking) return 1;
  const int64_t tall = block_rows(width);
#pragma omp parallel reduction(| : lacking)
  {
    Tiles tiles;
    Buffer<float> sums(tall * width, lacking), totals(tall * 16, lacking);
    Buffer<half> strip(tall * BLOCK_COLUMNS, lacking);
#pragma omp for schedule(static)
    for (int64_t n = 0; n < words; n += SIDE) pack_across(w + n * width, width, width, w_across + n * width);
#pragma omp for schedule(static)
    for (int64_t n = 0; n < words; n += SIDE)
      pack_along(w + n * width, width, SIDE, width, w_along + n * SIDE, words * SIDE);
#pragma omp for schedule(static)
    for (int64_t n = 0; n < rows; n += SIDE) {
      pack_across(x + n * width, width, width, x_across + n * width);
      for (int64_t i = n; i < n + SIDE; i++) shift[i] = answer[i] * LOG2_E;
    }
#pragma omp for schedule(static)
    for (int64_t start = 0; start < rows; start += tall) {
      if (lacking) continue;
      const int64_t count = least(tall, rows - start);
      std::memset(totals, 0, count * 16 * sizeof(float));
      Spread{x + start * width, w_across, w_along, count, width, words, shift + start, nullptr, totals, sums, strip}.run();
      for (int64_t i = start; i < start + count; i++) {
        const float total = _mm512_reduce_add_ps(_mm512_load_ps(totals + (i - start) * 16));
        nll[i] = share[i] != 0.0f ? std::log(total) : 0.0f;
        const __m512 mean = _mm512_set1_ps(share[i] / total), own = _mm512_set1_ps(share[i]);
        const half* right = w + target[i] * width;
        for (int64_t c = 0; c < width; c += 16) {
          const __m512 pull = _mm512_mul_ps(_mm512_loadu_ps(sums + (i - start) * width + c), mean);
          narrow(dx + i * width + c, _mm512_fnmadd_ps(widen(right + c), own, pull));
          narrow(scaled + i * width + c, _mm512_mul_ps(widen(x + i * width + c), mean));
        }
      }
    }
    if (dw) {
#pragma omp for schedule(static)
      for (int64_t n = 0; n < rows; n += SIDE)
        pack_along(scaled + n * width, width, SIDE, width, x_along + n * SIDE, rows * SIDE);
#pragma omp for schedule(static)
      for (int64_t start = 0; start < words; start += tall) {
        if (lacking) continue;
        const int64_t count = least(tall, words - start);
        Spread{w + start * width, x_across, x_along, count, width, rows, nullptr, shift, nullptr, sums, strip}.run();
        for (int64_t i = 0; i < rows; i++)
          if (share[i] != 0.0f && target[i] >= start && target[i] < start + count) {
            const __m512 own = _mm512_set1_ps(share[i]);
            float* sum = sums + (target[i] - start) * width;
            for (int64_t c = 0; c < width; c += 16)
              _mm512_storeu_ps(sum + c, _mm512_fnmadd_ps(widen(x + i * width + c), own, _mm512_loadu_ps(sum + c)));
          }
        for (int64_t i = 0; i < count * width; i += 16) narrow(dw + start * width + i, _mm512_loadu_ps(sums + i));
      }
    }
  }
  return lacking;
}

}  // extern "C"
