// The gradient of a weight: a product whose both operands lie across.
#include <sys/syscall.h>
#include <unistd.h>

#include "tiles.hpp"

namespace {

constexpr int64_t DEEP = 256;                 // of the products that are summed in the cache
constexpr int64_t APART = DEEP * SIDE + SIDE;  // panels, so that they do not all fall into the same sets of a cache

}  // namespace

extern "C" {

// Ask the kernel for the tile registers; 0 if they may be used.
int begin() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0 ? 0 : 1; }

// out (rows, columns) = a' b; a (depth, rows), b (depth, columns): the gradient of a weight.
int crossed(const half* a, const half* b, int64_t depth, int64_t rows, int64_t columns, half* out) {
  int lacking = 0;
#pragma omp parallel reduction(| : lacking)
  {
    const int64_t share = (rows / SIDE + omp_get_num_threads() - 1) / omp_get_num_threads() * SIDE;
    const int64_t from = omp_get_thread_num() * share, end = least(rows, from + share);
    const int64_t tall = least(share, columns <= 512 ? 1024 : 512);
    Tiles tiles;
    Buffer<half> pairs(APART * tall / SIDE, lacking), left(DEEP * SIDE, lacking);
    Buffer<half> right(APART * columns / SIDE, lacking);
    Buffer<float> sums(tall * columns, lacking);
    for (int64_t start = from; start < end && !lacking; start += tall) {
      const int64_t count = least(tall, end - start);
      std::memset(sums, 0, count * columns * sizeof(float));
      for (int64_t deep = 0; deep < depth; deep += DEEP) {
        const int64_t layer = least(DEEP, depth - deep);
        pack_along(a + deep * rows + start, rows, layer, count, pairs, APART);
        pack_along(b + deep * columns, columns, layer, columns, right, APART);
        for (int64_t m = 0; m < count; m += SIDE) {
          const uint32_t* from_pairs = (const uint32_t*)(pairs + m / SIDE * APART);
          for (int64_t k = 0; k < layer; k += SIDE)  // 32 x 32 blocks of a', one after another
            for (int64_t i = 0; i < SIDE; i += 16)
              transpose_pairs(from_pairs + k / 2 * SIDE + i, SIDE, (uint32_t*)left.data + k / 2 * SIDE + i * 16, 16);
          for (int64_t n = 0; n < columns; n += SIDE)
            product<true>(left, 64, SIDE * SIDE * 2, right + n / SIDE * APART, layer, sums + m * columns + n, columns * 4);
        }
      }
      for (int64_t i = 0; i < count * columns; i += 16) narrow(out + start * columns + i, _mm512_loadu_ps(sums + i));
    }
  }
  return lacking;
}

}  // extern "C"
