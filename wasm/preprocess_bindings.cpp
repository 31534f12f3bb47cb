// What the page calls: plain C functions over shared/. One bundle is open at a time; results stay valid until the
// next call. The page's worker has one thread, so the state needs no guard.
#include <cstdint>
#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "shared/bundle/bundle.hpp"
#include "shared/bundle/golden.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace {

struct State {
    ouaf::Bundle bundle;
    std::vector<float> tensor;
    ouaf::PhotoSize photo;
    std::string answer;
    std::string error_kind;
    std::string error_message;
};

State& state() {
    static State instance;
    return instance;
}

// Runs `work`; an exception becomes 1 and the error's kind and message.
template <class Work>
int guarded(const char* kind, Work work) {
    try {
        work();
        return 0;
    } catch (const ouaf::PhotoError& error) {
        state().error_kind = name_of(error.kind());
        state().error_message = error.what();
    } catch (const std::bad_alloc&) {
        state().error_kind = name_of(ouaf::PhotoErrorKind::out_of_memory);
        state().error_message = "There is not enough memory on this device.";
    } catch (const std::exception& error) {
        state().error_kind = kind;
        state().error_message = error.what();
    }
    return 1;
}

// `square`: none, for the middle, or one.
template <class... Square>
void prepare(std::span<const std::uint8_t> bytes, const Square&... square) {
    State& s = state();
    s.tensor.resize(ouaf::tensor_size(s.bundle.preprocess));
    s.photo = ouaf::preprocess(bytes, s.bundle.preprocess, square..., s.tensor);
}

}  // namespace

extern "C" {

int ouaf_open(const char* model_json) {
    return guarded("bad_bundle", [&] { state().bundle = ouaf::parse_bundle(model_json); });
}

int ouaf_preprocess(const std::uint8_t* bytes, std::size_t size) {
    return guarded("damaged", [&] { prepare({bytes, size}); });
}

// Of a square of the photo, see ouaf::Square.
int ouaf_preprocess_square(const std::uint8_t* bytes, std::size_t size, float left, float top, float side) {
    return guarded("damaged", [&] { prepare({bytes, size}, ouaf::Square{left, top, side}); });
}

const float* ouaf_tensor() { return state().tensor.data(); }
int ouaf_tensor_size() { return static_cast<int>(state().tensor.size()); }
int ouaf_photo_width() { return state().photo.width; }
int ouaf_photo_height() { return state().photo.height; }

// JSON of ouaf::Answer; null after an error.
const char* ouaf_answer(const float* logits, int count, int top) {
    State& s = state();
    const int failed = guarded("wrong_result", [&] {
        const auto answer =
            ouaf::answer(s.bundle, {logits, static_cast<std::size_t>(count)}, static_cast<std::size_t>(top));
        s.answer = ouaf::to_json(s.bundle, answer).dump();
    });
    return failed != 0 ? nullptr : s.answer.c_str();
}

// Prepares the bundle's self-test and checks its tensor.
int ouaf_golden() {
    return guarded("wrong_result", [] {
        const ouaf::Golden& golden = state().bundle.golden;
        prepare(ouaf::golden_picture(golden));
        ouaf::check_tensor(golden, state().tensor);
    });
}

int ouaf_check_golden(const float* logits, int count) {
    return guarded("wrong_result", [&] {
        ouaf::check_logits(state().bundle.golden, {logits, static_cast<std::size_t>(count)});
    });
}

const char* ouaf_error_kind() { return state().error_kind.c_str(); }
const char* ouaf_error_message() { return state().error_message.c_str(); }
}
