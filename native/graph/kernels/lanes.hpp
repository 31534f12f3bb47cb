// Sixteen float32 at a time, in the compiler's own vector type: what the kernels of this folder are written in. Memory
// holds float32 or bfloat16; arithmetic is float32.
//
// A function marked OUAF_EACH_PROCESSOR is compiled for AVX-512, AVX2 and what every x86-64 has, and the program takes
// the best at its start. What it calls has to be inlined into it (OUAF_INLINE), or it would run as for the oldest.
#pragma once

#include <c10/util/BFloat16.h>

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define OUAF_EACH_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OUAF_EACH_PROCESSOR
#endif
#define OUAF_INLINE inline __attribute__((always_inline))
#define OUAF_INLINE_LAMBDA __attribute__((always_inline))

namespace ouaf::graph {

constexpr std::int64_t lanes = 16;

using Floats = float __attribute__((vector_size(lanes * 4)));
using Doubles = double __attribute__((vector_size(lanes * 8)));
using Words = std::uint32_t __attribute__((vector_size(lanes * 4)));
using Halves = std::uint16_t __attribute__((vector_size(lanes * 2)));

OUAF_INLINE void load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof to); }
OUAF_INLINE void store(float* to, const Floats& from) { std::memcpy(to, &from, sizeof from); }

// bfloat16 is the upper half of float32.
OUAF_INLINE void load(const c10::BFloat16* from, Floats& to) {
    Halves halves;
    std::memcpy(&halves, from, sizeof halves);
    const Words words = __builtin_convertvector(halves, Words) << 16;
    std::memcpy(&to, &words, sizeof to);
}

// To the nearest, ties to even. A NaN whose upper half would read as infinity or zero is not looked for: a step with
// one is thrown away by its loss.
OUAF_INLINE void store(c10::BFloat16* to, const Floats& from) {
    Words words;
    std::memcpy(&words, &from, sizeof words);
    words += 0x7fffu + ((words >> 16) & 1u);
    const Halves halves = __builtin_convertvector(words >> 16, Halves);
    std::memcpy(to, &halves, sizeof halves);
}

// A sum in float32 goes over a few rows and then into float64.
OUAF_INLINE void add_to(double* sums, const Floats& part) {
    Doubles sum;
    std::memcpy(&sum, sums, sizeof sum);
    sum += __builtin_convertvector(part, Doubles);
    std::memcpy(sums, &sum, sizeof sum);
}

// e^x to 2 units in the last place where it is between e^-87 and e^88; outside, the value at that end. x = n ln 2 + r,
// |r| <= ln 2 / 2: 2^n times the polynomial of Cephes' expf in r.
OUAF_INLINE void exponential(Floats x, Floats& result) {
    x = x < -87.0f ? Floats{} - 87.0f : x;
    x = x > 88.0f ? Floats{} + 88.0f : x;
    constexpr float round = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
    const Floats shifted = x * 1.44269504f + round;
    const Floats n = shifted - round;
    const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    Floats p = r * 1.9875691500e-4f + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    Words bits;
    std::memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000u;  // the low bits of shifted are n in two's complement
    Floats power;
    std::memcpy(&power, &bits, sizeof power);
    result = p * power;
}

OUAF_INLINE void sigmoid(const Floats& x, Floats& result) {
    Floats e;
    exponential(-x, e);
    result = 1.0f / (1.0f + e);
}

// z becomes z / (1 + e^-z).
OUAF_INLINE void silu(Floats& z) {
    Floats gate;
    sigmoid(z, gate);
    z *= gate;
}

// The gradient of silu(z) becomes that of z.
OUAF_INLINE void silu_backward(const Floats& z, Floats& gradient) {
    Floats gate;
    sigmoid(z, gate);
    gradient *= gate * (1.0f + z * (1.0f - gate));
}

}  // namespace ouaf::graph
