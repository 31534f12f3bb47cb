// TensorBoard's event files, written without TensorFlow.
//
//     EventFile file("runs/a/events.out.tfevents.1700000000.ouaf", 1.7e9);
//     file.add({.step = 3, .time = 1.7e9, .scalars = {{"loss", 0.25}}});
//
// A file is a row of TFRecords (https://www.tensorflow.org/tutorials/load_data/tfrecord), each holding an Event message
// (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto), of which these few fields are written:
//     Event      { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
//                  SessionLog session_log = 7; }
//     Summary    { repeated Value { string tag = 1; float simple_value = 2; } value = 1; }
//     SessionLog { enum status = 1, of which START is 1; }
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ouaf {

struct ScalarEvent {
    std::int64_t step = 0;
    double time = 0;  // seconds since 1970
    std::vector<std::pair<std::string, double>> scalars;
};

// The bytes of one record: length, its masked CRC-32C, the data, and theirs; all little-endian.
std::string tf_record(std::string_view data);

class EventFile {
 public:
    // Begins a file with a session that starts at step 0: what a run's older files said of later steps no longer
    // counts. Throws std::runtime_error "path: cause", as add does.
    EventFile(std::filesystem::path path, double time);

    // Appends one event, at once. Numbers are rounded to float32, as the message has them.
    void add(const ScalarEvent& event);

 private:
    void write(std::string_view event);

    std::filesystem::path path_;
    std::ofstream file_;
};

}  // namespace ouaf
