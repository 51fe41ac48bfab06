// examples/observers.cpp - being told of the lives of tasks: one's own observer, the last tasks by number, lints.
// SPDX-License-Identifier: MIT
//
// Shows   observer with a slot in each child that sees its spawner's; several at once; task_history; observe_lints
// Run     observers
// Prints  what each of them has seen, on a manual executor: the same every time
#include <taskscope/taskscope.hpp>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

namespace ts = taskscope;
using namespace std::chrono_literals;

namespace {

// Says on whose behalf a task runs: a request's number goes from a child to those that it spawns.
class requests final : public ts::observer {
public:
    explicit requests(ts::executor& ex) : ex_(ex) {}

private:
    struct origin {
        int request;
        ts::executor::clock::time_point spawned;
    };

    void child_spawned(ts::observed_child& c) override {
        const auto* above = c.spawner_slot<origin>();
        c.emplace_slot<origin>(origin{above != nullptr ? above->request : ++last_, ex_.now()});
    }
    void child_suspended(const ts::observed_child& c, unsigned, std::source_location) override {
        say(c, "waits");
    }
    void child_completed(const ts::observed_child& c, const ts::child_end& end) override {
        say(c, end.how == ts::completion_kind::value ? "is done" : "was stopped, or failed");
    }
    void say(const ts::observed_child& c, std::string_view what) {
        const auto* o = c.slot<origin>();
        const auto age =
            std::chrono::duration_cast<std::chrono::milliseconds>(ex_.now() - o->spawned);
        std::cout << "  request " << o->request << ": " << c.name() << ' ' << what << " after "
                  << age.count() << " ms\n";
    }

    ts::executor& ex_;
    int last_ = 0;  // children here are spawned by one thread
};

ts::task<> query(std::chrono::milliseconds takes) { co_await ts::sleep_for(takes); }

ts::task<> serve(std::chrono::milliseconds takes) {
    co_await ts::sleep_for(1ms);
    ts::current_scope().spawn(ts::spawn_options{.name = "query"}, query, takes);
}

void print(const ts::task_record& t) {
    std::cout << "  " << t.name << " in " << t.scope_path << ", "
              << (!t.ended                                   ? "runs"
                  : *t.ended == ts::completion_kind::stopped ? "stopped"
                                                             : "done")
              << ", " << std::chrono::duration_cast<std::chrono::milliseconds>(t.lasted).count()
              << " ms\n";
}

}  // namespace

int main() {
    ts::manual_executor ex;
    ts::task_scope app{ex, {.name = "app"}};

    // Any number of observers, who know nothing of each other.
    const ts::task_history history(ex, 100);
    ts::observation watching = ts::observe(ex, std::make_shared<requests>(ex));

    std::cout << "requests\n";
    app.spawn(ts::spawn_options{.name = "serve"}, serve, 3ms);
    app.spawn(ts::spawn_options{.name = "serve"}, serve, 60s);
    ex.advance(10ms);
    watching.remove();

    std::cout << "live\n";
    for (const ts::task_record& t : history.live()) {
        print(t);
        std::cout << "  made by\n";
        for (const ts::task_record& above : history.creation_chain(t.id)) {
            if (above.id != t.id) print(above);
        }
        history.request_stop(t.id);  // this one, and no other
    }
    ex.run_ready();
    std::cout << "ended\n";
    for (const ts::task_record& t : history.ended()) print(t);

    // A clock that is moved by the work itself, so that this program prints the same every time.
    std::cout << "lints\n";
    auto clock = ts::executor::clock::time_point{};
    const auto tell = [](const ts::lint& l) {
        std::cout << "  " << l.child.name() << " kept its worker for "
                  << std::chrono::duration_cast<std::chrono::milliseconds>(l.ran).count()
                  << " ms\n";
    };
    const ts::observation lints =
        ts::observe_lints(ex, tell, {.limit = 10ms, .now = [&] { return clock; }});
    clock += 1s;
    app.spawn(ts::spawn_options{.name = "resize"}, [&] { clock += 250ms; });
    ex.run_ready();
    app.blocking_join();
}
