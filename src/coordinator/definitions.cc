#include "coordinator/definitions.h"

#include <utility>

namespace ganglion {
namespace {

constexpr const char* kActiveDefinition = "active_definition";

}  // namespace

std::shared_ptr<const Project> Definitions::keep(std::shared_ptr<const Project> project) {
  std::erase_if(by_digest_, [](const auto& entry) { return entry.second.expired(); });
  // Runs may hold the same file compiled before: there is one copy of each.
  std::weak_ptr<const Project>& slot = by_digest_[project->digest];
  if (auto held = slot.lock()) return held;
  slot = project;
  recent_.push_back(project);
  if (recent_.size() > kRecent) recent_.pop_front();
  return project;
}

void Definitions::activate(std::shared_ptr<const Project> project, Completion<void> done) {
  project = keep(std::move(project));
  ++activations_;
  auto activated = [this, project, done = std::move(done)](Result<void> written) mutable {
    ++activations_;
    if (written) {
      active_ = project;
      for (const auto& activated : activated_) activated();
    }
    done(std::move(written));
  };
  auto stored = [this, digest = project->digest,
                 activated = std::move(activated)](Result<void> written) mutable {
    if (!written) return activated(std::move(written));
    store_.put_setting(kActiveDefinition, digest, std::move(activated));
  };
  store_.put_definition(project->digest, project->source, std::move(stored));
}

void Definitions::restore(Completion<void> done) {
  auto loaded = [this, activations = activations_](Completion<void> finished,
                                                   Result<std::shared_ptr<const Project>> project) {
    if (!project) return finished(std::unexpected(project.error()));
    // What was read may be older than what has been activated here since.
    if (activations_ != activations) return finished({});
    const bool another = active_ != *project;
    active_ = *std::move(project);
    if (another) {
      for (const auto& activated : activated_) activated();
    }
    finished({});
  };
  store_.get_setting(kActiveDefinition, [this, loaded,
                                         done = std::move(done)](Result<std::string> digest) mutable {
    if (!digest && digest.error().code == "not_found") return done({});
    if (!digest) return done(std::unexpected(digest.error()));
    load(*digest, [loaded, done = std::move(done)](Result<std::shared_ptr<const Project>> project) mutable {
      loaded(std::move(done), std::move(project));
    });
  });
}

std::shared_ptr<const Project> Definitions::find(const std::string& digest) const {
  const auto found = by_digest_.find(digest);
  return found == by_digest_.end() ? nullptr : found->second.lock();
}

void Definitions::load(std::string digest, Completion<std::shared_ptr<const Project>> done) {
  if (auto known = find(digest)) return done(std::move(known));
  store_.get_definition(digest, [this, digest, done = std::move(done)](Result<std::string> source) mutable {
    if (!source) return done(std::unexpected(source.error()));
    auto compiled = compile_(*source);
    if (!compiled) {
      return done(fail(
          "invalid_definition",
          "the stored project " + digest + " can't be read by this version: " + compiled.error().message));
    }
    done(keep(*std::move(compiled)));
  });
}

}  // namespace ganglion
