#pragma once

// The rows as a picture: for every workload latency percentiles and throughput by clients, or by rate of an
// open loop. One SVG 1.1 document that needs nothing else, for a browser and for a README.

#include <string>
#include <vector>

#include "bench/load/row.h"

namespace ganglion::bench {

// At least one row.
std::string plot_svg(const std::vector<Row>& rows);

// The ticks of a logarithmic axis, from the power of ten at or below `low` to the one at or above `high`; at
// least two.
std::vector<double> powers_of_ten(double low, double high);
// The ticks of an axis from 0: four to six, at 1, 2, 2.5 or 5 times a power of ten.
std::vector<double> even_ticks(double high);

}  // namespace ganglion::bench
