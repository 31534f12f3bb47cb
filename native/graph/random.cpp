// See random.hpp. Only additions, products, quotients and square roots, which IEEE 754 rounds in one way; the
// build forbids contracting them into fused operations for this file. std::log may differ between machines.
#include "native/graph/random.hpp"

#include <cmath>

namespace ouaf::graph {

namespace {

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
std::uint64_t hash(std::string_view text) {
    std::uint64_t value = 14695981039346656037u;
    for (const char letter : text) value = (value ^ static_cast<unsigned char>(letter)) * 1099511628211u;
    return value;
}

// The natural logarithm of a positive normal number: x = m 2^e with m near 1, and the series of
// ln m = 2 (z + z^3 / 3 + z^5 / 5 + ...), z = (m - 1) / (m + 1), |z| < 0.172: 23 is past the last bit.
double natural_logarithm(double x) {
    int exponent = 0;
    double m = std::frexp(x, &exponent);
    if (m < 0.7071067811865476) {
        m *= 2;
        --exponent;
    }
    const double z = (m - 1) / (m + 1);
    const double square = z * z;
    double sum = 0;
    for (int power = 23; power >= 1; power -= 2) sum = sum * square + 1.0 / power;
    return 2 * z * sum + exponent * 0.6931471805599453;
}

}  // namespace

Random::Random(std::uint64_t seed, std::string_view name) : engine_((seed + 1) * 0x9e3779b97f4a7c15u ^ hash(name)) {}

double Random::uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

// Marsaglia's polar method, https://doi.org/10.1137/1006063
double Random::normal() {
    if (spare_) {
        const double value = *spare_;
        spare_.reset();
        return value;
    }
    for (;;) {
        const double u = 2 * uniform() - 1;
        const double v = 2 * uniform() - 1;
        const double square = u * u + v * v;
        if (square >= 1 || square < 1e-300) continue;
        const double factor = std::sqrt(-2 * natural_logarithm(square) / square);
        spare_ = v * factor;
        return u * factor;
    }
}

}  // namespace ouaf::graph
