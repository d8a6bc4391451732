// How much of a difference is rounding: what a graph's results do when everything in it is rounded a little otherwise.
#pragma once

#include <vector>

#include <tandem/passes/pattern/check_cases.h>

namespace tandem {

/// How far each element of each output moves, at most of a few draws, when the case's inputs and all that its graph
/// computes on the way move to a neighbouring number of their dtypes, up or down at random. (The method is Monte Carlo
/// arithmetic: D. Stott Parker, UCLA CSD-970002, 1997.)
///
/// Inputs alone would not do: where a row of scores gets 1,041 added, moving the 1,041 moves all scores alike, which a
/// softmax does not see, while the sums, rounded to whole numbers in f16, each move by themselves.
std::vector<std::vector<double>> movement(const CheckCase& c, const CheckExecutor& oracle);

}  // namespace tandem
