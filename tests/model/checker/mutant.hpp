// tests/model/checker/mutant.hpp - which mutant of the production sources is switched on.
// SPDX-License-Identifier: MIT
#pragma once

namespace model {

/// `number` is the one that TASKSCOPE_MUTANT names.
bool is_mutant(int number) noexcept;

}  // namespace model
