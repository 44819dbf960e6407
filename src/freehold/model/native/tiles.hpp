// What the kernels share: tiles, packing, exponentials.
//
// Legend: an operand on the right of a product is packed in panels of 32 columns, [columns / 32][rows / 2][32][2]:
// the pairs that AMX multiplies lie together, and a panel is read front to back. All sizes are multiples of 32.
//
// A kernel returns 0, or 1 if memory was lacking. A thread that lacks it takes part in every loop and does nothing there.
#pragma once
#include <immintrin.h>
#include <omp.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

using half = uint16_t;  // the bits of a bfloat16

constexpr int64_t SIDE = 32;          // a product makes SIDE x SIDE numbers: four tiles
constexpr float LOG2_E = 1.44269504f;
constexpr float LIMIT = 100.0f;       // of exponents, base 2: 2^100 times 10^6 terms is still a float

struct alignas(64) TileShape {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

struct Tiles {  // a thread's tile registers, while it needs them
  Tiles() { TileShape shape; _tile_loadconfig(&shape); }
  ~Tiles() { _tile_release(); }
};

template <class T>
struct Buffer {  // aligned, uninitialised; sets `lacking` if there is no memory for it
  T* data;
  Buffer(int64_t count, int& lacking)
      : data(static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64))) {
    lacking |= data == nullptr;
  }
  ~Buffer() { std::free(data); }
  Buffer(const Buffer&) = delete;
  operator T*() { return data; }
};

inline __m512 widen(const half* from) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)from)), 16));
}

inline void narrow(half* to, __m512 value) {
  _mm256_storeu_si256((__m256i*)to, (__m256i)_mm512_cvtneps_pbh(value));
}

// 2^x to 2e-7; anything that is no number stays so.
inline __m512 raise(__m512 x) {
  x = _mm512_min_ps(_mm512_set1_ps(LIMIT), x);
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 part = _mm512_sub_ps(x, whole);
  __m512 power = _mm512_set1_ps(1.32765e-3f);
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(9.67554e-3f));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(5.550713e-2f));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(2.402212e-1f));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(6.9314697e-1f));
  power = _mm512_fmadd_ps(power, part, _mm512_set1_ps(1.00000007f));
  return _mm512_scalef_ps(power, whole);
}

// c (32 x 32, fp32) = or += a (32 x depth) b (depth x 32, a panel). Strides in bytes; `step` between 32 columns of a.
// `meanwhile(k)` is called once for every 32 of depth: work in vector registers that hides behind the tiles'.
template <bool ADD, class Work>
inline void product(const half* a, int64_t a_stride, int64_t step, const half* b, int64_t depth, float* c,
                    int64_t c_stride, Work meanwhile) {
  if (ADD) {
    _tile_loadd(0, c, c_stride);
    _tile_loadd(1, c + 16, c_stride);
    _tile_loadd(2, (char*)c + 16 * c_stride, c_stride);
    _tile_loadd(3, (char*)(c + 16) + 16 * c_stride, c_stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const char* left = (const char*)a;
  for (int64_t k = 0; k < depth; k += SIDE, left += step, b += SIDE * SIDE) {
    _tile_loadd(6, b, 128);
    _tile_loadd(4, left, a_stride);
    _tile_loadd(7, b + SIDE, 128);
    _tile_loadd(5, left + 16 * a_stride, a_stride);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
    meanwhile(k);
  }
  _tile_stored(0, c, c_stride);
  _tile_stored(1, c + 16, c_stride);
  _tile_stored(2, (char*)c + 16 * c_stride, c_stride);
  _tile_stored(3, (char*)(c + 16) + 16 * c_stride, c_stride);
}

template <bool ADD>
inline void product(const half* a, int64_t a_stride, int64_t step, const half* b, int64_t depth, float* c, int64_t c_stride) {
  product<ADD>(a, a_stride, step, b, depth, c, c_stride, [](int64_t) {});
}

// Transpose 16 x 16 pairs of bf16; strides in pairs.
inline void transpose_pairs(const uint32_t* from, int64_t from_stride, uint32_t* to, int64_t to_stride) {
  __m512i r[16], t[16];
  for (int i = 0; i < 16; i++) r[i] = _mm512_loadu_si512(from + i * from_stride);
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 8] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 4; i++) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 4], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 4], 0xdd);
    r[i + 4] = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_i32x4(t[i + 8], t[i + 12], 0xdd);
  }
  for (int i = 0; i < 16; i++) _mm512_storeu_si512(to + i * to_stride, r[i]);
}

// One panel of b = from' (from: 32 rows x depth): [depth / 2][32][2].
inline void pack_across(const half* from, int64_t stride, int64_t depth, half* panel) {
  for (int64_t k = 0; k < depth; k += SIDE)
    for (int64_t n = 0; n < SIDE; n += 16)
      transpose_pairs((const uint32_t*)(from + n * stride + k), stride / 2, (uint32_t*)panel + k / 2 * SIDE + n, SIDE);
}

// Panels of b = from (depth rows x columns): [columns / 32][depth / 2][32][2], `apart` numbers from panel to panel.
inline void pack_along(const half* from, int64_t stride, int64_t depth, int64_t columns, half* panels, int64_t apart) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21,
                                         5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  for (int64_t k = 0; k < depth; k += 2)
    for (int64_t n = 0; n < columns; n += 16) {
      const __m256i even = _mm256_loadu_si256((const __m256i*)(from + k * stride + n));
      const __m256i odd = _mm256_loadu_si256((const __m256i*)(from + (k + 1) * stride + n));
      const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(even), odd, 1);
      half* to = panels + n / SIDE * apart + (k / 2 * SIDE + n % SIDE) * 2;
      _mm512_storeu_si512(to, _mm512_permutexvar_epi16(order, both));
    }
}

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace
