#include "base/random.hpp"

#include <random>

namespace fogctl {

std::uint64_t Random::next() {
  std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::uint64_t Random::below(std::uint64_t bound) {
  return static_cast<std::uint64_t>(unit() * static_cast<double>(bound));
}

double Random::unit() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t entropy() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32) | device();
}

std::string random_hex_id(Random& random) {
  constexpr char digits[] = "0123456789abcdef";
  std::string id(32, '0');
  for (std::size_t half = 0; half < 2; ++half) {
    std::uint64_t bits = random.next();
    for (std::size_t i = 0; i < 16; ++i, bits >>= 4) id[half * 16 + i] = digits[bits & 15];
  }
  return id;
}

std::string random_short_id(Random& random) {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
  std::string id(15, '0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < id.size(); ++i, bits >>= 6) {
    if (i % 10 == 0) bits = random.next();
    id[i] = digits[bits & 63];
  }
  return id;
}

}  // namespace fogctl
