#include "bench/load/plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "base/assert.h"
#include "bench/load/text.h"

namespace ganglion::bench {
namespace {

constexpr double kPanelWidth = 520, kPanelHeight = 340;
constexpr double kLeft = 70, kRight = 100, kTop = 46, kBottom = 52;  // around what is drawn in a panel
constexpr double kPlotWidth = kPanelWidth - kLeft - kRight;
constexpr double kPlotHeight = kPanelHeight - kTop - kBottom;
constexpr double kLabelWidth = 36;
// Told apart by people who don't see all colours, too (Okabe and Ito, 2008), and by their dashes.
constexpr auto kColours = std::to_array<const char*>({"#0072b2", "#009e73", "#e69f00", "#d55e00"});
constexpr auto kDashes = std::to_array<const char*>({"none", "7 3", "3 3", "1 3"});

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

// One element: `Element("line").set("x1", 3).text()`.
class Element {
 public:
  explicit Element(const char* name) : name_(name), open_(std::string("<") + name) {}

  Element& set(const char* attribute, const std::string& value) {
    open_ += std::string(" ") + attribute + "=\"" + escaped(value) + '"';
    return *this;
  }
  Element& set(const char* attribute, double value) { return set(attribute, fixed_text(value, 1)); }
  // As the line of this number is drawn.
  Element& stroke(std::size_t index) {
    return set("stroke", kColours[index % kColours.size()])
        .set("stroke-width", 2)
        .set("stroke-dasharray", kDashes[index % kDashes.size()]);
  }
  Element& put(const std::string& content) {
    content_ += content;
    return *this;
  }
  std::string text() const {
    return open_ + (content_.empty() ? "/>" : ">" + content_ + "</" + name_ + ">") + "\n";
  }

 private:
  std::string name_, open_, content_;
};

Element text_at(double x, double y, const char* anchor, const std::string& text) {
  return Element("text").set("x", x).set("y", y).set("text-anchor", anchor).put(escaped(text));
}

Element line_between(double x1, double y1, double x2, double y2) {
  return Element("line").set("x1", x1).set("y1", y1).set("x2", x2).set("y2", y2);
}

struct Axis {
  std::vector<double> ticks;
  bool logarithmic = false;

  // 0 at the first tick, 1 at the last one.
  double place(double value) const {
    const double low = ticks.front(), high = ticks.back();
    if (logarithmic) return std::log(std::max(value, low) / low) / std::log(high / low);
    return (value - low) / (high - low);
  }
};

struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

std::string tick_text(double value) {
  if (value >= 1000) return number_text(value);
  return short_text(value);
}

struct Panel {
  std::string title, x_title, y_title;
  Axis x, y;
  std::vector<double> x_ticks;  // where the loads were
  std::vector<Line> lines;

  double px(double value) const { return kLeft + x.place(value) * kPlotWidth; }
  double py(double value) const { return kTop + (1 - y.place(value)) * kPlotHeight; }

  std::string frame() const;
  std::string curve(std::size_t index) const;
  std::string legend() const;
};

std::string Panel::frame() const {
  const double bottom = kTop + kPlotHeight, right = kLeft + kPlotWidth;
  std::string svg = text_at(kLeft, kTop - 20, "start", title).set("class", "title").text();
  for (const double tick : y.ticks) {
    svg += line_between(kLeft, py(tick), right, py(tick)).set("class", "grid").text();
    svg += text_at(kLeft - 8, py(tick) + 4, "end", tick_text(tick)).text();
  }
  double last_label = -kPanelWidth;
  for (const double tick : x_ticks) {
    svg += line_between(px(tick), bottom, px(tick), bottom + 5).set("class", "axis").text();
    if (px(tick) - last_label < kLabelWidth) continue;  // would cover the one before
    last_label = px(tick);
    svg += text_at(px(tick), bottom + 19, "middle", tick_text(tick)).text();
  }
  svg += line_between(kLeft, kTop, kLeft, bottom).set("class", "axis").text();
  svg += line_between(kLeft, bottom, right, bottom).set("class", "axis").text();
  svg += text_at(kLeft + kPlotWidth / 2, kPanelHeight - 12, "middle", x_title).text();
  const double middle = kTop + kPlotHeight / 2;
  return svg + text_at(16, middle, "middle", y_title)
                   .set("transform", "rotate(-90 16 " + fixed_text(middle, 1) + ")")
                   .text();
}

std::string Panel::curve(std::size_t index) const {
  std::string path, dots;
  for (const auto& [at, value] : lines[index].points) {
    path += (path.empty() ? "M" : " L") + fixed_text(px(at), 1) + " " + fixed_text(py(value), 1);
    const std::string figure =
        Element("title").put(escaped(lines[index].name) + ": " + short_text(value)).text();
    dots += Element("circle")
                .set("cx", px(at))
                .set("cy", py(value))
                .set("r", 3.5)
                .set("fill", kColours[index % kColours.size()])
                .put(figure)
                .text();
  }
  if (path.empty()) return "";
  return Element("path").set("d", path).set("fill", "none").stroke(index).text() + dots;
}

std::string Panel::legend() const {
  std::string svg;
  const double begin = kLeft + kPlotWidth + 14;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    // The highest line comes last in the list and first in the legend.
    const double at = kTop + 10 + 20 * static_cast<double>(lines.size() - 1 - i);
    svg += line_between(begin, at, begin + 24, at).stroke(i).text();
    svg += text_at(begin + 30, at + 4, "start", lines[i].name).text();
  }
  return svg;
}

double load_of(const Row& row) {
  return row.rate ? *row.rate : row.clients;
}

// Of rows of one title, in the order of their loads.
Panel panel_of(const std::vector<Row>& rows, std::string title, std::string y_title) {
  Panel panel{.title = std::move(title),
              .x_title = rows.front().rate ? "runs started a second (open loop)" : "clients (closed loop)",
              .y_title = std::move(y_title),
              .x = {.ticks = powers_of_ten(load_of(rows.front()), load_of(rows.back())), .logarithmic = true},
              .y = {},
              .x_ticks = {},
              .lines = {}};
  for (const Row& row : rows) panel.x_ticks.push_back(load_of(row));
  return panel;
}

Panel latency_panel(const std::vector<Row>& rows) {
  Panel panel = panel_of(rows, rows.front().title() + ": latency of a run", "milliseconds");
  double low = 1e9, high = 0;
  for (const auto& [of, name] : {std::pair{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}, {0.999, "p99.9"}}) {
    Line line{.name = name, .points = {}};
    for (const Row& row : rows) {
      if (row.run.count() == 0) continue;
      const double value =
          std::max(0.001, std::chrono::duration<double, std::milli>(row.run.quantile(of)).count());
      line.points.emplace_back(load_of(row), value);
      low = std::min(low, value);
      high = std::max(high, value);
    }
    panel.lines.push_back(std::move(line));
  }
  panel.y = {.ticks = high == 0 ? powers_of_ten(1, 10) : powers_of_ten(low, high), .logarithmic = true};
  return panel;
}

Panel throughput_panel(const std::vector<Row>& rows) {
  Panel panel = panel_of(rows, rows.front().title() + ": throughput", "runs and steps a second");
  double high = 0;
  const auto add = [&](const char* name, double (Row::*figure)() const) {
    Line line{.name = name, .points = {}};
    for (const Row& row : rows) {
      line.points.emplace_back(load_of(row), (row.*figure)());
      high = std::max(high, line.points.back().second);
    }
    panel.lines.push_back(std::move(line));
  };
  add("runs", &Row::runs_per_s);
  add("steps", &Row::steps_per_s);
  panel.y = {.ticks = even_ticks(high), .logarithmic = false};
  return panel;
}

std::string drawn(const Panel& panel, double left, double top) {
  std::string svg = panel.frame();
  for (std::size_t i = 0; i < panel.lines.size(); ++i) svg += panel.curve(i);
  return Element("g")
      .set("transform", "translate(" + fixed_text(left, 0) + " " + fixed_text(top, 0) + ")")
      .put("\n" + svg + panel.legend())
      .text();
}

// In the order in which the titles first come.
std::vector<std::vector<Row>> by_title(const std::vector<Row>& rows) {
  std::vector<std::vector<Row>> groups;
  for (const Row& row : rows) {
    const auto same = [&](const std::vector<Row>& group) {
      return group.front().title() == row.title() && group.front().rate.has_value() == row.rate.has_value();
    };
    const auto found = std::ranges::find_if(groups, same);
    (found == groups.end() ? groups.emplace_back() : *found).push_back(row);
  }
  for (auto& group : groups) std::ranges::sort(group, {}, load_of);
  return groups;
}

}  // namespace

std::vector<double> powers_of_ten(double low, double high) {
  // What is rounded must not put a value beside the axis.
  int from = static_cast<int>(std::floor(std::log10(low) + 1e-9));
  const int to = std::max(from + 1, static_cast<int>(std::ceil(std::log10(high) - 1e-9)));
  std::vector<double> ticks;
  for (; from <= to; ++from) ticks.push_back(std::pow(10.0, from));
  return ticks;
}

std::vector<double> even_ticks(double high) {
  if (high <= 0) return {0, 0.5, 1};
  const double power = std::pow(10.0, std::floor(std::log10(high)) - 1);
  double step = power;
  for (const double factor : {1.0, 2.0, 2.5, 5.0, 10.0, 20.0, 25.0, 50.0}) {
    step = factor * power;
    if (step * 5 >= high) break;
  }
  std::vector<double> ticks = {0};
  while (ticks.back() < high) ticks.push_back(step * static_cast<double>(ticks.size()));
  return ticks;
}

std::string plot_svg(const std::vector<Row>& rows) {
  GANGLION_ASSERT(!rows.empty());
  const auto groups = by_title(rows);
  const double width = 2 * kPanelWidth, height = kPanelHeight * static_cast<double>(groups.size());
  std::string svg =
      "\n<style>.grid{stroke:#ddd} .axis{stroke:#444} .title{font-size:15px;font-weight:bold}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  double top = 0;
  for (const auto& group : groups) {
    svg += drawn(latency_panel(group), 0, top) + drawn(throughput_panel(group), kPanelWidth, top);
    top += kPanelHeight;
  }
  return Element("svg")
      .set("xmlns", "http://www.w3.org/2000/svg")
      .set("width", width)
      .set("height", height)
      .set("viewBox", "0 0 " + fixed_text(width, 0) + " " + fixed_text(height, 0))
      .set("font-family", "sans-serif")
      .set("font-size", "12")
      .set("fill", "#222")
      .put(svg)
      .text();
}

}  // namespace ganglion::bench
