// Runs files through the fuzz target without libFuzzer: replay_corpus FILE_OR_FOLDER…. Ends with the first crash, and
// with abort where a file makes the process ask for more than a gigabyte above what it holds.
#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

// Address space now, and a gigabyte: what a fresh process maps for LibTorch alone differs between machines.
void limit_memory() {
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    const rlim_t most = pages * 4096 + (rlim_t{1} << 30);
    const rlimit limit{most, most};
    setrlimit(RLIMIT_AS, &limit);
}

void replay(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    std::printf("%s\n", path.c_str());  // the last one printed is the one that crashed
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

}  // namespace

int main(int argc, char** argv) {
    LLVMFuzzerTestOneInput(nullptr, 0);  // LibTorch starts up
    limit_memory();
    int files = 0;
    for (int i = 1; i < argc; ++i) {
        if (!fs::is_directory(argv[i])) replay(argv[i]), ++files;
        else
            for (const auto& entry : fs::directory_iterator(argv[i])) replay(entry.path()), ++files;
    }
    std::printf("%d files\n", files);
    return files > 0 ? 0 : 1;
}
