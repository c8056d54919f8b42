#include "cli/sub_run_demands.h"

#include "cli/fields.h"

namespace ganglion::cli {
namespace {

constexpr std::size_t kMaxApprovals = 200;
constexpr int kMaxGenerations = 16;  // of sub-runs, as the engine bounds them

std::string demand_text(const Fields& approval, const std::string& arguments) {
  const std::string run = approval.text("run_id"), step = approval.text("step");
  const std::string by = approval.joined("by", " or ");
  const std::string name = approval.has("item") ? approval.text("id") : run + "/" + step;
  return "step " + step + " of sub-run " + run + " waits for " + (by.empty() ? "a person" : by) +
         ":\n  ganglion approvals approve " + name + (by.empty() ? "" : " --by NAME") + arguments;
}

}  // namespace

bool SubRunDemands::descends(Api& api, const std::string& run) {
  std::string current = run;
  for (int generation = 0; generation <= kMaxGenerations; ++generation) {
    if (const auto known = known_.find(current); known != known_.end()) return known_[run] = known->second;
    const auto document = api.run(current);
    if (!document) return false;  // asked again next time
    current = Fields(document->text).object("parent").text("run_id");
    if (current.empty()) break;
    if (current == run_) return known_[run] = true;
  }
  return known_[run] = false;
}

std::vector<std::string> SubRunDemands::ask(Api& api) {
  next_ = std::chrono::steady_clock::now() + kInterval;
  std::vector<std::string> news;
  const auto approvals = api.approvals(std::nullopt, kMaxApprovals);
  if (!approvals) return news;
  for (const Document& document : *approvals) {
    const Fields approval(document.text);
    const std::string run = approval.text("run_id"), id = approval.text("id");
    if (run == run_ || told_.contains(id) || !descends(api, run)) continue;
    told_.insert(id);
    news.push_back(demand_text(approval, arguments_));
  }
  return news;
}

}  // namespace ganglion::cli
