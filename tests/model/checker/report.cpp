// tests/model/checker/report.cpp - a failed run as a table: thread, operation, value, line.
// SPDX-License-Identifier: MIT
#include "runtime.hpp"

#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>

namespace model {
namespace {

std::uintptr_t load_address() {
    std::uintptr_t base = 0;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* data) {
            *static_cast<std::uintptr_t*>(data) = info->dlpi_addr;
            return 1;  // the first one is the executable
        },
        &base);
    return base;
}

bool is_ours(const std::string& place) {
    return !place.starts_with("??") && place.find("/usr/") == std::string::npos &&
           place.find("/gcc/") == std::string::npos &&
           place.find("model/atomic.hpp") == std::string::npos;
}

std::string source_line(const std::string& file, unsigned line) {
    std::ifstream in(file);
    std::string text;
    for (unsigned i = 0; i < line && std::getline(in, text);) ++i;
    const std::size_t begin = text.find_first_not_of(" \t");
    return begin == std::string::npos ? "" : text.substr(begin);
}

const char* name_of(op kind) {
    switch (kind) {
        case op::load:
            return "load";
        case op::store:
            return "store";
        case op::update:
            return "update";
        case op::compare:
            return "compare_exchange";
        case op::fence:
            return "fence";
        case op::light_fence:
            return "light barrier";
        case op::heavy_fence:
            return "heavy barrier";
        case op::lock:
            return "lock";
        case op::unlock:
            return "unlock";
        case op::futex_wait:
            return "futex wait";
        case op::futex_wake:
            return "futex wake";
        case op::create:
            return "start thread";
        case op::join:
            return "join thread";
        case op::exit:
            return "end";
        case op::yield:
            return "yield";
        case op::advance:
            return "advance clock";
        case op::none:
        case op::futex_sleep:
        case op::clock:
            break;
    }
    return "";
}

const char* name_of(order o) {
    switch (o) {
        case order::relaxed:
            return "relaxed";
        case order::consume:
            return "consume";
        case order::acquire:
            return "acquire";
        case order::release:
            return "release";
        case order::acq_rel:
            return "acq_rel";
        case order::seq_cst:
            return "seq_cst";
    }
    return "";
}

std::string number(std::uint64_t n) {
    char text[32];
    std::snprintf(text, sizeof text, n < 0x10000 ? "%lu" : "%#lx", static_cast<unsigned long>(n));
    return text;
}

std::string what_it_did(const step& s) {
    switch (s.kind) {
        case op::load:
            return "-> " + number(s.result) + (s.stale ? " (outdated)" : "");
        case op::store:
            return "<- " + number(s.value) + (s.stale ? " (before a newer one)" : "");
        case op::update:
            return number(s.result) + " => " + number(s.value) + (s.stale ? " (outdated)" : "");
        case op::compare:
            return number(s.result) + (s.failed ? " fails" : " => " + number(s.value)) +
                   (s.stale ? " (outdated)" : "");
        case op::futex_wait:
            return s.failed ? "-> " + number(s.result) + ", returns"
                            : "sleeps while " + number(s.value);
        case op::futex_wake:
        case op::create:
        case op::join:
        case op::advance:
            return number(s.value);
        default:
            return "";
    }
}

}  // namespace

std::vector<std::string> places(const std::vector<const void*>& instructions, bool with_text) {
    const std::uintptr_t base = load_address();
    std::string command = "addr2line -a -i -e /proc/" + std::to_string(::getpid()) + "/exe";
    std::vector<std::uintptr_t> unique;
    for (const void* i : instructions) {
        if (i != nullptr) unique.push_back(reinterpret_cast<std::uintptr_t>(i) - base - 1);
    }
    std::sort(unique.begin(), unique.end());
    unique.erase(std::unique(unique.begin(), unique.end()), unique.end());
    char text[1024];
    for (const std::uintptr_t a : unique) {
        std::snprintf(text, sizeof text, " %#lx", static_cast<unsigned long>(a));
        command += text;
    }
    // Several lines for each address: what was inlined, innermost first.
    std::map<std::uintptr_t, std::string> found;
    if (FILE* pipe = unique.empty() ? nullptr : ::popen(command.c_str(), "r")) {
        std::uintptr_t address = 0;
        while (std::fgets(text, sizeof text, pipe) != nullptr) {
            std::string line(text);
            line = line.substr(0, line.find_first_of(" \n"));
            if (line.starts_with("0x")) {
                address = std::stoul(line, nullptr, 16);
            } else if (is_ours(line)) {
                found.emplace(address, line);
            }
        }
        ::pclose(pipe);
    }
    std::vector<std::string> result;
    for (const void* i : instructions) {
        const auto at = found.find(reinterpret_cast<std::uintptr_t>(i) - base - 1);
        if (at == found.end()) {
            result.emplace_back(i == nullptr ? "" : "?");
            continue;
        }
        const std::string& place = at->second;
        const std::size_t colon = place.rfind(':');
        const std::size_t slash = place.rfind('/');
        std::string line = place.substr(slash == std::string::npos ? 0 : slash + 1);
        if (with_text) {
            line.resize(std::max<std::size_t>(line.size() + 1, 26), ' ');
            line += source_line(place.substr(0, colon),
                                static_cast<unsigned>(std::stoul("0" + place.substr(colon + 1))));
        }
        result.push_back(line);
    }
    return result;
}

std::string table(const std::vector<step>& steps, const std::vector<std::string>& names) {
    std::vector<const void*> where;
    where.reserve(steps.size());
    for (const step& s : steps) where.push_back(s.where);
    const std::vector<std::string> lines = places(where, true);
    // Variables by the order in which they appear.
    std::map<std::uintptr_t, std::size_t> variables;
    const auto variable = [&](std::uintptr_t a) {
        return a == 0
                   ? std::string()
                   : "v" + std::to_string(variables.emplace(a, variables.size() + 1).first->second);
    };
    std::string out =
        "step  thread          what                      variable  value                     "
        "where\n";
    const std::size_t begin = steps.size() > 400 ? steps.size() - 400 : 0;
    if (begin != 0) out += "(" + std::to_string(begin) + " steps left out)\n";
    for (std::size_t i = begin; i < steps.size(); ++i) {
        const step& s = steps[i];
        std::string what = name_of(s.kind);
        if (s.kind <= op::fence) what += std::string(" ") + name_of(s.how);
        char text[256];
        std::snprintf(text, sizeof text, "%4zu  %-14s  %-24s  %-8s  %-24s  ", i + 1,
                      s.thread < names.size() ? names[s.thread].c_str() : "?", what.c_str(),
                      variable(s.address).c_str(), what_it_did(s).c_str());
        out += text + lines[i] + '\n';
    }
    return out;
}

}  // namespace model
