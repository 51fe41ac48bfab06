// scope/src/task_group.cpp - a group's policy: stop on the first error, keep them all.
// SPDX-License-Identifier: MIT
#include <taskscope/task_group.hpp>

#include <new>

namespace taskscope {

task_group::task_group(task_scope& parent, std::string_view name, std::source_location where)
    : scope_(parent, {.name = name, .on_error = collecting(collected_)}, where) {}

task_group::task_group(executor& home, std::string_view name, std::source_location where)
    : scope_(home, {.name = name, .on_error = collecting(collected_)}, where) {}

task_group::task_group(const detail::task_context& context, std::string_view name,
                       std::source_location where)
    : scope_(detail::scope_access::open(context, {.name = name, .on_error = collecting(collected_)},
                                        where)) {}

error_policy task_group::collecting(std::shared_ptr<collection> c) {
    return error_policy::own([c = std::move(c)](const error_context& e) {
        c->add(e.error);
        e.scope.request_stop();
    });
}

void task_group::collection::add(std::exception_ptr error) noexcept {
    const std::lock_guard lock{mutex};
    if (errors.size() == max_errors) {
        ++dropped;
        return;
    }
    try {
        errors.push_back(std::move(error));
    } catch (const std::bad_alloc&) {
        ++dropped;
    }
}

void task_group::collect(std::exception_ptr error) noexcept {
    collected_->add(std::move(error));
    scope_.request_stop();
}

void task_group::rethrow() {
    std::vector<std::exception_ptr> errors;
    std::size_t dropped = 0;
    {
        const std::lock_guard lock{collected_->mutex};
        errors.swap(collected_->errors);
        dropped = std::exchange(collected_->dropped, 0);
    }
    if (errors.empty() && dropped == 0) return;
    std::string message = "taskscope: errors in group";
    if (!scope_.name().empty()) message += " \"" + std::string(scope_.name()) + '"';
    throw exception_group(std::move(message), std::move(errors), dropped);
}

task<> task_group::join() {
    co_await scope_.join();
    rethrow();
}

void task_group::blocking_join() {
    scope_.blocking_join();
    rethrow();
}

}  // namespace taskscope
