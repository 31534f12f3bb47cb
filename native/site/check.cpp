#include "native/site/check.hpp"

#include <set>
#include <string_view>

#include "native/bundle/checksum.hpp"
#include "native/files/files.hpp"
#include "native/site/addresses.hpp"
#include "native/site/file_list.hpp"

namespace ouaf::site {
namespace {

namespace fs = std::filesystem;
using Paths = std::set<std::string, std::less<>>;

void check_file(const fs::path& site, const File& file, Findings& findings) {
    const auto fault = [&](const std::string& text) { findings.faults.push_back(file.path + ": " + text); };
    if (!fs::is_regular_file(site / file.path)) return fault("missing; copy it again");
    const std::vector<std::uint8_t> bytes = read_file(site / file.path);
    if (bytes.size() != file.bytes) {
        fault(std::to_string(bytes.size()) + " bytes where " + std::to_string(file.bytes) +
              " were published; copy it again, as it is (an upload 'as text' changes it)");
    } else if (sha256(bytes) != file.sha256) {
        fault("its content is not what was published; copy it again, or publish again instead of changing it here");
    }
}

void check_addresses(const fs::path& site, const std::string& path, const Paths& there, Findings& findings) {
    for (const Address& address : addresses_in(path, read_text(site / path))) {
        const std::string& text = address.text;
        const auto fault = [&](const std::string& why) {
            std::string said = path;
            said += ": asks for ";
            said += text;
            said += ", ";
            findings.faults.push_back(said += why);
        };
        if (is_absolute(text)) {
            fault("an absolute address; put the file into the page (web/) and name it relative to this one");
        } else if (const std::string target = resolved(path, text); target.starts_with("..")) {
            fault("which leaves the site's folder; put the file into the page (web/)");
        } else if (address.whole && !text.starts_with("#") && !there.contains(target) &&
                   !there.contains(resolved(target + "/", "index.html"))) {
            fault("which is not there; name a file of the page, or publish again");
        }
    }
}

}  // namespace

Findings check(const fs::path& site) {
    const FileList list = read_file_list(site);
    Findings findings;
    Paths listed{list_name};
    for (const std::vector<File>& files : {list.kept, list.others}) {
        for (const File& file : files) {
            check_file(site, file, findings);
            listed.insert(file.path);
        }
    }
    for (const std::string& path : files_of(site)) {
        Amount& amount = only_for_graphics_cards(path) ? findings.for_graphics_cards : findings.page;
        ++amount.files;
        amount.bytes += fs::file_size(site / path);
        if (listed.contains(path)) check_addresses(site, path, listed, findings);
        else findings.faults.push_back(path + ": no file of this site; take it out of the folder");
    }
    return findings;
}

}  // namespace ouaf::site
