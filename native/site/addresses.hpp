// The addresses that a file of the page asks for, as far as they stand in its text: whatever a script puts together
// while it runs is held back by the page's content security policy.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ouaf::site {

struct Address {
    std::string text;
    bool whole = true;  // false: a script completes it, or says relative to what it is
};

// By the extension of `path`: .html, .js, .mjs, .css and .webmanifest; nothing of other files.
std::vector<Address> addresses_in(std::string_view path, std::string_view content);

// With a scheme, from the host's root, or of another host.
bool is_absolute(std::string_view address);

// Where a relative address leads from the file at `path`, inside the site's folder; starts with ".." where it leaves
// it.
std::string resolved(std::string_view path, std::string_view address);

}  // namespace ouaf::site
