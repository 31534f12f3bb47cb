// See photo_store.hpp.
#include "native/data/photo_store.hpp"

#include <ATen/ATen.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include "native/data/all_cores.hpp"
#include "native/files/cache.hpp"
#include "native/files/files.hpp"
#include "native/files/fnv1a.hpp"

namespace ouaf {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& cause) {
    throw std::runtime_error(path.string() + ": " + cause);
}

class Descriptor {
 public:
    Descriptor(const fs::path& path, int flags) : number_(::open(path.c_str(), flags | O_CLOEXEC, 0666)) {
        if (number_ < 0) fail(path, std::strerror(errno));
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(number_); }
    int get() const { return number_; }

 private:
    int number_;
};

// What tells a photo from another, or from what it was.
struct FileFacts {
    std::uintmax_t bytes = 0;
    std::int64_t changed = 0;

    bool operator==(const FileFacts&) const = default;
};

FileFacts facts_of(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) fail(path, std::strerror(errno));
    return {static_cast<std::uintmax_t>(status.st_size),
            std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec};
}

struct Entry {
    std::int64_t row = 0;
    int width = 0;
    int height = 0;
    FileFacts file;
};

using Index = std::unordered_map<std::string, Entry>;

std::string line_of(const std::string& name, const Entry& entry) {
    std::ostringstream line;
    line << entry.row << ' ' << entry.width << ' ' << entry.height << ' ' << entry.file.bytes << ' '
         << entry.file.changed << ' ' << name << '\n';
    return line.str();
}

// A last line that was cut short, by a full disk say, counts as not there. `rows`: how many rows are taken.
Index read_index(const fs::path& path, std::int64_t& rows) {
    Index index;
    rows = 0;
    if (!fs::exists(path)) return index;
    std::string text = read_text(path);
    text.resize(text.find_last_of('\n') == std::string::npos ? 0 : text.find_last_of('\n') + 1);
    std::istringstream lines(text);
    Entry entry;
    std::string name;
    while (lines >> entry.row >> entry.width >> entry.height >> entry.file.bytes >> entry.file.changed &&
           lines.get() == ' ' && std::getline(lines, name)) {
        rows = std::max(rows, entry.row + 1);
        index[name] = entry;
    }
    return index;
}

// All that decides the bytes of a row, as a text.
std::string describe(const StoredForm& form) {
    std::ostringstream text;
    text << "decoder" << decoder_version << "-";
    if (form.seen) {
        const PreprocessSpec& spec = *form.seen;
        text << "seen" << spec.size << "of" << spec.resize << "-filter" << static_cast<int>(spec.filter)
             << (spec.grey ? "-grey" : "") << (spec.equalise ? "-equalised" : "");
    } else {
        text << "square" << form.side;
    }
    return text.str();
}

std::string describe(const Box& box) {
    char text[80];
    std::snprintf(text, sizeof text, " box %.5f %.5f %.5f %.5f", static_cast<double>(box.left),
                  static_cast<double>(box.top), static_cast<double>(box.width), static_cast<double>(box.height));
    return text;
}

fs::path folder_of(const fs::path& root, const StoredForm& form, const fs::path& cache) {
    const fs::path whole = fs::weakly_canonical(root);
    char hash[17];
    std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(fnv1a(whole.string())));
    return cache / (whole.filename().string() + "-" + hash + "-" + describe(form));
}

Image stored_image(const DecodedPhoto& photo, const StoredForm& form) {
    if (form.seen) return crop_for_network(photo, *form.seen);
    return resize(photo.image, form.side, form.side, Filter::area, {0, 0, form.side, form.side});
}

// At least one pixel of the photo, to the nearest edges.
DecodedPhoto cut(const DecodedPhoto& photo, const Box& box) {
    const auto span_of = [](float start, float size, int length) {
        const int first = std::clamp(static_cast<int>(std::lround(start * static_cast<float>(length))), 0, length - 1);
        const int end = static_cast<int>(std::lround((start + size) * static_cast<float>(length)));
        return std::pair(first, std::clamp(end, first + 1, length) - first);
    };
    const auto [x, width] = span_of(box.left, box.width, photo.image.width);
    const auto [y, height] = span_of(box.top, box.height, photo.image.height);
    DecodedPhoto part{Image(width, height), span_of(box.left, box.width, photo.width).second,
                      span_of(box.top, box.height, photo.height).second};
    for (int row = 0; row < height; ++row)
        std::copy_n(photo.image.row(y + row) + std::ptrdiff_t{3} * x, std::ptrdiff_t{3} * width, part.image.row(row));
    return part;
}

DecodedPhoto decoded(const fs::path& path, const StoredForm& form, const std::optional<Box>& box) {
    const int short_side = form.seen ? form.seen->resize : form.side;
    if (!box) return decode(read_file(path), short_side);
    const float share = std::max(0.01F, std::min(box->width, box->height));
    return cut(decode(read_file(path), static_cast<int>(std::ceil(static_cast<float>(short_side) / share))), *box);
}

// One photo into its row; its size as the photo, or the box, has it.
Entry store(const fs::path& path, const std::optional<Box>& box, const StoredForm& form, std::int64_t row, int pixels) {
    Entry entry{row, 0, 0, facts_of(path)};
    const DecodedPhoto photo = decoded(path, form, box);
    entry.width = photo.width;
    entry.height = photo.height;
    const Image image = stored_image(photo, form);
    const auto size = static_cast<::ssize_t>(image.rgb.size());
    if (::pwrite(pixels, image.rgb.data(), image.rgb.size(), static_cast<::off_t>(row * size)) != size)
        throw std::system_error(errno, std::generic_category(), "the photo store can't be written; is the disk full?");
    return entry;
}

struct Missing {
    std::size_t sample = 0;
    std::optional<Box> box;
    std::string name;
    std::string cause;  // where it could not be read
    Entry entry;
};

// Decodes into the rows from `first`. Which photo is in which row does not depend on who was faster.
void decode_all(std::span<Missing> missing, std::span<const Sample> samples, const StoredForm& form, int pixels,
                std::int64_t first, const std::function<void()>& done_one) {
    const auto decode_one = [&](std::size_t i) {
        try {
            missing[i].entry = store(samples[missing[i].sample].path, missing[i].box, form,
                                     first + static_cast<std::int64_t>(i), pixels);
        } catch (const std::system_error&) {  // of the store, not of the photo
            throw;
        } catch (const std::runtime_error& error) {
            missing[i].cause = error.what();
        }
    };
    on_all_cores(
        missing.size(), [&] { return decode_one; }, [&](std::size_t) { done_one(); });
}

void check_room(const fs::path& folder, std::uintmax_t bytes) {
    const std::uintmax_t room = fs::space(folder).available;
    if (bytes <= room) return;
    fail(folder, "the photos need " + std::to_string(bytes / 1'000'000) + " MB here and the disk has " +
                     std::to_string(room / 1'000'000) +
                     " MB left; make room, or name a folder on another disk by OUAF_CACHE");
}

// Adds what the index lacks, a part at a time: rows reach the disk before the index says that they are there.
void add(std::vector<Missing>& missing, std::span<const Sample> samples, const StoredForm& form, const fs::path& folder,
         Index& index, std::int64_t rows, const std::atomic<bool>& stop, const StoreReport& report) {
    constexpr std::size_t part = 1024;
    const Descriptor pixels(folder / "pixels", O_RDWR | O_CREAT);
    const Descriptor lines(folder / "index", O_WRONLY | O_CREAT | O_APPEND);
    std::size_t done = 0;
    for (std::size_t first = 0; first < missing.size(); first += part) {
        if (stop)
            fail(folder, "stopped; " + std::to_string(first) + " of " + std::to_string(missing.size()) +
                             " new photos are stored and stay for the next run");
        const std::span<Missing> now = std::span(missing).subspan(first, std::min(part, missing.size() - first));
        decode_all(now, samples, form, pixels.get(), rows,
                   [&] { report.progress(static_cast<double>(++done) / static_cast<double>(missing.size())); });
        if (::fdatasync(pixels.get()) != 0) fail(folder / "pixels", std::strerror(errno));
        std::string text;
        for (const Missing& photo : now) {
            if (!photo.cause.empty()) continue;
            text += line_of(photo.name, photo.entry);
            index[photo.name] = photo.entry;
        }
        if (::write(lines.get(), text.data(), text.size()) != static_cast<::ssize_t>(text.size()) ||
            ::fdatasync(lines.get()) != 0)
            fail(folder / "index", "can't be written; is the disk full?");
        rows += static_cast<std::int64_t>(now.size());
    }
}

at::Tensor map_rows(const fs::path& path, std::int64_t rows, int side) {
    const std::size_t bytes = static_cast<std::size_t>(rows) * static_cast<std::size_t>(side * side * 3);
    if (bytes == 0) return at::empty({0, side, side, 3}, at::kByte);
    const Descriptor file(path, O_RDONLY);
    if (fs::file_size(path) < bytes) fail(path, "is cut short; remove its folder, it will be made again");
    void* first = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.get(), 0);
    if (first == MAP_FAILED) fail(path, std::strerror(errno));
    return at::from_blob(
        first, {rows, side, side, 3}, [bytes](void* mapped) { ::munmap(mapped, bytes); }, at::kByte);
}

// A photo that was changed or removed meanwhile is one that can't be read.
std::optional<FileFacts> try_facts(const fs::path& path) {
    try {
        return facts_of(path);
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

}  // namespace

fs::path photo_cache() { return cache_folder() / "photos"; }

StoredPhotos store_photos(const fs::path& root, std::span<const Sample> samples,
                          std::span<const std::optional<Box>> boxes, const StoredForm& form, const fs::path& cache,
                          const std::atomic<bool>& stop, const StoreReport& report) {
    const fs::path folder = folder_of(root, form, cache);
    fs::create_directories(folder);
    const Descriptor lock(folder / "lock", O_WRONLY | O_CREAT);
    if (::flock(lock.get(), LOCK_EX) != 0) fail(folder / "lock", std::strerror(errno));

    std::int64_t rows = 0;
    Index index = read_index(folder / "index", rows);
    const std::string base = (fs::absolute(root).lexically_normal() / "").string();
    std::vector<std::string> names;
    std::vector<Missing> missing;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const std::string path = fs::absolute(samples[i].path).lexically_normal().string();
        const std::optional<Box> box = boxes.empty() ? std::nullopt : boxes[i];
        names.push_back((path.starts_with(base) ? path.substr(base.size()) : path) + (box ? describe(*box) : ""));
        const auto found = index.find(names[i]);
        if (found == index.end() || try_facts(path) != found->second.file)
            missing.push_back({i, box, names[i], {}, {}});
    }
    if (!missing.empty()) {
        const std::uintmax_t bytes = missing.size() * static_cast<std::uintmax_t>(form.width() * form.width() * 3);
        check_room(folder, bytes);
        report.begin(missing.size(), bytes, folder);
        add(missing, samples, form, folder, index, rows, stop, report);
    }

    StoredPhotos stored;
    std::vector<bool> unreadable(samples.size());
    for (Missing& photo : missing) {
        if (photo.cause.empty()) continue;
        unreadable[photo.sample] = true;
        stored.failures.push_back({photo.sample, std::move(photo.cause)});
    }
    std::vector<std::int64_t> places;
    std::vector<float> aspects;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (unreadable[i]) continue;
        const Entry& entry = index.at(names[i]);
        rows = std::max(rows, entry.row + 1);
        places.push_back(entry.row);
        aspects.push_back(static_cast<float>(entry.width) / static_cast<float>(entry.height));
        stored.samples.push_back(i);
    }
    stored.pixels = map_rows(folder / "pixels", rows, form.width());
    stored.rows = at::tensor(places, at::kLong);
    stored.aspects = at::tensor(aspects, at::kFloat);
    return stored;
}

}  // namespace ouaf
