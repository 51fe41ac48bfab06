// scope/src/scope_policy.cpp - several policies in one.
// SPDX-License-Identifier: MIT
#include <taskscope/scope_policy.hpp>

#include <algorithm>
#include <vector>

namespace taskscope::detail {
namespace {

struct policy_stack final : policy_base {
    explicit policy_stack(std::initializer_list<scope_policy> policies) : members(policies) {}

    // Asks one after the other until `ask` gets an answer.
    template <class Ask>
    disposition first_answer(Ask ask) {
        for (const scope_policy& p : members) {
            if (policy_access::ignores(p)) return disposition::handled;
            if (const auto& policy = policy_access::get(p)) {
                const disposition d = ask(*policy);
                if (d != disposition::pass_on) return d;
            }
        }
        return disposition::pass_on;
    }

    disposition child_completed(const child_completion& c) override {
        if (c.kind == completion_kind::error) {
            return first_answer([&](policy_base& p) { return p.child_completed(c); });
        }
        for (const scope_policy& p : members) {
            const auto& policy = policy_access::get(p);
            if (policy != nullptr && policy->wants_all()) policy->child_completed(c);
        }
        return disposition::handled;
    }
    disposition body_completed(const child_completion& c) override {
        return first_answer([&](policy_base& p) { return p.body_completed(c); });
    }
    disposition error_below(const error_context& e) override {
        for (const scope_policy& p : members) {  // ignoring is about children of the scope itself
            const auto& policy = policy_access::get(p);
            if (policy == nullptr) continue;
            const disposition d = policy->error_below(e);
            if (d != disposition::pass_on) return d;
        }
        return disposition::pass_on;
    }
    void result() override {
        for (const scope_policy& p : members) {
            if (const auto& policy = policy_access::get(p)) policy->result();
        }
    }
    bool wants_all() const noexcept override {
        return std::any_of(members.begin(), members.end(), [](const scope_policy& p) {
            const auto& policy = policy_access::get(p);
            return policy != nullptr && policy->wants_all();
        });
    }

    const std::vector<scope_policy> members;
};

}  // namespace

scope_policy stack_of(std::initializer_list<scope_policy> policies) {
    return policy_access::make(std::make_shared<policy_stack>(policies));
}

}  // namespace taskscope::detail
