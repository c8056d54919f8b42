#include "agent_threads.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace ganglion {

struct AgentThreads::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> jobs;
  std::vector<std::thread> threads;
  std::vector<bool> busy;  // of each thread
  std::size_t idle = 0;
  bool closed = false;

  static void work(const std::shared_ptr<Shared>& shared, std::size_t self) {
    std::unique_lock lock(shared->mutex);
    while (true) {
      shared->busy[self] = false;
      ++shared->idle;
      shared->changed.wait(lock, [&] { return shared->closed || !shared->jobs.empty(); });
      --shared->idle;
      if (shared->closed) return;
      shared->busy[self] = true;
      std::function<void()> job = std::move(shared->jobs.front());
      shared->jobs.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
  }
};

AgentThreads::AgentThreads(std::size_t size) : size_(size), shared_(std::make_shared<Shared>()) {}

AgentThreads::~AgentThreads() {
  std::vector<std::thread> threads;
  std::vector<bool> busy;
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->closed = true;
    shared_->jobs.clear();
    threads = std::move(shared_->threads);
    busy = shared_->busy;
  }
  shared_->changed.notify_all();
  for (std::size_t i = 0; i < threads.size(); ++i) {
    if (busy[i]) {
      threads[i].detach();
    } else {
      threads[i].join();
    }
  }
}

void AgentThreads::submit(std::function<void()> job) {
  {
    const std::scoped_lock lock(shared_->mutex);
    shared_->jobs.push_back(std::move(job));
    if (shared_->jobs.size() > shared_->idle && shared_->threads.size() < size_) {
      const std::size_t self = shared_->threads.size();
      shared_->busy.push_back(false);
      shared_->threads.emplace_back([shared = shared_, self] { Shared::work(shared, self); });
    }
  }
  shared_->changed.notify_one();
}

}  // namespace ganglion
