// How well mixes of the random strategies find the planted races: what the defaults of `sample_weights` stand on.
#pragma once

namespace bench {

// Prints a table: for each mix the runs that one would expect to need, by samples alone, for all races together and for
// the worst one; and the same where each program runs beside six tasks of forty steps, which touch nothing of its own.
// Last, for a step that fails if sixty of another task overtake it.
// The chance of a single sample is measured for each strategy, so mixes differ by no luck of theirs.
void show_mixes();

}  // namespace bench
