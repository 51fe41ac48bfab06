// scope/src/readiness.cpp - who is still starting, from a snapshot.
// SPDX-License-Identifier: MIT
#include <taskscope/readiness.hpp>
#include <taskscope/scope_tree.hpp>

#include <utility>

namespace taskscope {

std::string readiness_report::text() const {
    if (ready()) return "ready";
    std::string line;
    for (const starting_scope& s : not_ready) {
        line += (line.empty() ? "not ready: " : ", ") + s.path;
        if (s.starting > 1) line += " (" + std::to_string(s.starting) + ')';
    }
    return line;
}

readiness_report readiness(const task_scope& top) {
    readiness_report report;
    for (scope_info& s : snapshot(top, 0).scopes) {
        if (s.counts.starting != 0) {
            report.not_ready.push_back({std::move(s.path), s.counts.starting});
        }
    }
    return report;
}

}  // namespace taskscope
