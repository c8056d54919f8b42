#include "project/coordination.h"

#include <string>
#include <vector>

#include "project/names.h"

namespace ganglion::project {
namespace {

std::vector<std::string> strategy_names() {
  std::vector<std::string> names;
  for (const Strategy strategy : kStrategies) names.emplace_back(name_of(strategy));
  return names;
}

Strategy read_strategy(const Field& field, Diagnostics& diagnostics) {
  const auto name = read_text(field, diagnostics);
  if (!name) return Strategy::mesh;
  if (const auto strategy = strategy_named(*name)) return *strategy;
  diagnostics.add(field.position, field.path,
                  "no strategy \"" + *name + "\"" + did_you_mean(*name, strategy_names()) +
                      "; there are centralized, mesh, hierarchical and swarm");
  return Strategy::mesh;
}

class DomainsReader {
 public:
  DomainsReader(const WorkflowNames& workflows, Coordination& coordination, Diagnostics& diagnostics)
      : workflows_(workflows), coordination_(coordination), diagnostics_(diagnostics) {}

  void read(const Field& field) {
    const auto domains = Fields(field, diagnostics_).take_all();
    if (domains.size() > kMaxDomains) {
      diagnostics_.add(field.position, field.path, "more than " + std::to_string(kMaxDomains) + " domains");
      return;
    }
    for (const auto& [name, domain] : domains) {
      check_name(name, domain, diagnostics_);
      read_domain(name, domain);
    }
  }

 private:
  void read_domain(const std::string& name, const Field& field) {
    Fields fields(field, diagnostics_);
    const auto workflows = fields.take("workflows");
    fields.finish();
    if (field.value->kind != YamlKind::map) return;
    if (!workflows) {
      diagnostics_.add(field.position, field.path, "\"workflows\" is missing: which ones are of this domain");
      return;
    }
    const auto& items = workflows->value->items;
    if (workflows->value->kind != YamlKind::list || items.empty()) {
      const bool empty = workflows->value->kind == YamlKind::list;
      diagnostics_.add(workflows->position, workflows->path,
                       "expected a list of workflows, such as [code-review], got " +
                           (empty ? "an empty list" : describe(*workflows->value)));
      return;
    }
    for (std::size_t i = 0; i < items.size(); ++i) add(name, workflows->item(i));
  }

  void add(const std::string& domain, const Field& item) {
    auto workflow = read_workflow_name(item, workflows_, diagnostics_);
    if (!workflow) return;
    const auto [entry, added] = coordination_.domains_by_workflow.emplace(*workflow, domain);
    if (!added) {
      diagnostics_.add(item.position, item.path,
                       "the workflow \"" + *workflow + "\" is of the domain \"" + entry->second +
                           "\" already; it can be of one");
      return;
    }
    coordination_.domains[domain].push_back(*std::move(workflow));
  }

  const WorkflowNames& workflows_;
  Coordination& coordination_;
  Diagnostics& diagnostics_;
};

}  // namespace

Coordination read_coordination(const Field& field, const WorkflowNames& workflows, Diagnostics& diagnostics) {
  Coordination coordination;
  Fields fields(field, diagnostics);
  if (const auto strategy = fields.take("strategy")) {
    coordination.strategy = read_strategy(*strategy, diagnostics);
  }
  if (const auto domains = fields.take("domains")) {
    DomainsReader(workflows, coordination, diagnostics).read(*domains);
  }
  fields.finish();
  return coordination;
}

}  // namespace ganglion::project
