// scope/src/task_history.cpp - an observer that keeps what is alive, and what was last.
// SPDX-License-Identifier: MIT
#include <taskscope/error_context.hpp>
#include <taskscope/task_history.hpp>
#include <taskscope/task_scope.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

namespace taskscope {

class task_history::keeper final : public observer {
public:
    keeper(executor& h, std::size_t m) : home(h), most(m) {}

    struct entry {
        task_record record;
        executor::clock::time_point spawned_when;
        std::shared_ptr<stop_source> stop;
    };

    void child_spawned(observed_child& c) override {
        entry e;
        e.record.id = c.id();
        e.record.spawner = c.spawner();
        e.record.name = c.name();
        e.record.spawned_at = c.spawned_at();
        e.record.scope_path = c.scope().path();
        e.spawned_when = home.now();
        e.stop = c.own_stop();
        const std::lock_guard lock{mutex};
        live.emplace(c.id(), std::move(e));
    }

    void child_completed(const observed_child& c, const child_end& end) override {
        std::string error;
        if (end.error != nullptr) error = describe(end.error);
        const auto present = home.now();
        const std::lock_guard lock{mutex};
        auto node = live.extract(c.id());
        if (node.empty() || most == 0) return;
        task_record& r = node.mapped().record;
        r.ended = end.how;
        r.error = std::move(error);
        r.lasted = present - node.mapped().spawned_when;
        if (ended.size() == most) ended.pop_front();
        ended.push_back(std::move(r));
    }

    // With the mutex.

    task_record of(const entry& e) const {
        task_record r = e.record;
        r.lasted = home.now() - e.spawned_when;
        return r;
    }
    std::optional<task_record> find(child_id id) const {
        if (const auto found = live.find(id); found != live.end()) return of(found->second);
        const auto found = std::find_if(ended.begin(), ended.end(),
                                        [id](const task_record& r) { return r.id == id; });
        if (found == ended.end()) return std::nullopt;
        return *found;
    }

    executor& home;
    const std::size_t most;
    mutable std::mutex mutex;  // guards what follows
    std::map<child_id, entry> live;
    std::deque<task_record> ended;
};

task_history::task_history(executor& home, std::size_t most)
    : kept_(std::make_shared<keeper>(home, most)), observing_(observe(home, kept_)) {}

task_history::~task_history() = default;

std::vector<task_record> task_history::live() const {
    std::vector<task_record> result;
    const std::lock_guard lock{kept_->mutex};
    for (const auto& [id, e] : kept_->live) result.push_back(kept_->of(e));
    return result;
}

std::vector<task_record> task_history::ended() const {
    const std::lock_guard lock{kept_->mutex};
    return {kept_->ended.begin(), kept_->ended.end()};
}

std::vector<task_record> task_history::creation_chain(child_id id) const {
    std::vector<task_record> result;
    const std::lock_guard lock{kept_->mutex};
    // Spawners have smaller numbers: it comes to an end.
    while (auto r = kept_->find(id)) {
        id = r->spawner;
        result.push_back(*std::move(r));
    }
    return result;
}

bool task_history::request_stop(child_id id) const noexcept {
    std::shared_ptr<stop_source> stop;
    {
        const std::lock_guard lock{kept_->mutex};
        const auto found = kept_->live.find(id);
        if (found == kept_->live.end()) return false;
        stop = found->second.stop;
    }
    return stop->request_stop();  // without the lock: it runs callbacks
}

}  // namespace taskscope
