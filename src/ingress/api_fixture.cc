#include "ingress/api_fixture.h"

#include <algorithm>
#include <cctype>

#include "core/schema/schema.h"
#include "ingress/http/message.h"
#include "ingress/http/target.h"
#include "ingress/system_api.h"
#include "project/project.h"

namespace ganglion::ingress {
namespace {

namespace json = boost::json;

constexpr const char* kProject = R"(ganglion: 1
agents:
  worker: {kind: worker, timeout: 20s, retry: {max_attempts: 1}}
  strict: {kind: worker, retry: {max_attempts: 1}, output: {type: object, required: [n]}}
workflows:
  echo:
    steps:
      work: {agent: worker, input: {got: "${{ input }}"}}
    output: "${{ steps.work.output }}"
  checked:
    input: {type: object, required: [n], properties: {n: {type: integer}}}
    steps:
      work: {agent: strict, input: "${{ input }}"}
  instant:
    steps:
      one: {transform: "${{ 1 + 1 }}"}
    output: "${{ steps.one.output }}"
)";

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// Whether `/v1/runs/abc` is of the pattern `/v1/runs/{id}`.
bool matches(const std::string& pattern, const http::Target& target) {
  const auto wanted = http::parse_target(pattern)->segments;
  if (wanted.size() != target.segments.size()) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i].starts_with('{') && wanted[i] != target.segments[i]) return false;
  }
  return true;
}

CoordinatorOptions coordinator_options() {
  CoordinatorOptions options;
  options.max_open_runs = 50;
  options.max_share = 0.8;
  return options;
}

json::object document_with_local_references() {
  std::string text(openapi_document());
  const std::string from = "#/components/schemas/";
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), "#/$defs/");
  }
  return json::parse(text).as_object();
}

}  // namespace

Reference::Reference() : document_(document_with_local_references()) {}

std::vector<std::string> Reference::operations() const {
  std::vector<std::string> found;
  for (const auto& path : document_.at("paths").as_object()) {
    for (const auto& operation : path.value().as_object()) {
      std::string method(operation.key());
      std::ranges::transform(method, method.begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      found.push_back(method + " " + std::string(path.key()));
    }
  }
  std::ranges::sort(found);
  return found;
}

void Reference::check(const std::string& method, const std::string& target, const Answer& answer) const {
  const auto parsed = http::parse_target(target);
  ASSERT_TRUE(parsed);
  const json::object* path = nullptr;
  for (const auto& candidate : document_.at("paths").as_object()) {
    if (!matches(std::string(candidate.key()), *parsed)) continue;
    path = &candidate.value().as_object();
    if (candidate.key().find('{') == std::string_view::npos) break;
  }
  if (path == nullptr) return;  // 404 of the router, which no reference lists
  const json::value* operation = path->if_contains(lower(method));
  ASSERT_NE(operation, nullptr) << method << " " << target;
  const json::value* response =
      operation->at("responses").as_object().if_contains(std::to_string(answer.status));
  ASSERT_NE(response, nullptr) << method << " " << target << " answers " << answer.status << ": "
                               << answer.body;
  if (const auto* reference = response->as_object().if_contains("$ref")) {
    const std::string name =
        std::string(reference->as_string()).substr(std::string("#/components/responses/").size());
    response = &document_.at("components").at("responses").at(name);
  }
  if (!response->as_object().contains("content")) {
    EXPECT_EQ(answer.body, "");
    return;
  }
  const std::string type = answer.headers.at("content-type");
  const std::string media = type.substr(0, type.find(';'));
  const json::value* content = response->at("content").as_object().if_contains(media);
  ASSERT_NE(content, nullptr) << method << " " << target << " answers with " << media;
  if (!media.ends_with("json")) return;
  json::object schema = content->at("schema").as_object();
  schema["$defs"] = document_.at("components").at("schemas");
  const auto compiled = schema::Schema::compile(schema);
  ASSERT_TRUE(compiled) << compiled.error().message;
  for (const auto& violation : compiled->validate(answer.json())) {
    ADD_FAILURE() << method << " " << target << ": " << violation.path << " " << violation.message << "\n"
                  << answer.body;
  }
}

ApiTest::ApiTest()
    : definitions_(store_,
                   [](const std::string& source) -> Result<std::shared_ptr<const Project>> {
                     auto parsed = project::parse(source, "ganglion.yaml");
                     if (!parsed) return fail("invalid_definition", parsed.error().front().text());
                     return *parsed;
                   }),
      pool_(clock_,
            [this](const std::string& definition,
                   const std::string& name) -> std::shared_ptr<const AgentDefinition> {
              const auto project = definitions_.find(definition);
              const auto agent = project ? project->agents.find(name) : decltype(project->agents.end()){};
              if (!project || agent == project->agents.end()) return nullptr;
              return {project, &agent->second};
            },
            {}),
      coordinator_({store_, clock_, random_, pool_, definitions_, sessions_, events_}, coordinator_options()),
      api_({clock_, store_, coordinator_, definitions_, pool_, sessions_, events_, random_}) {
  pool_.connect(coordinator_);
  bool started = false;
  events_.open([&](const Result<void>&) {
    event_router_.start([&](const Result<void>& router) { started = router.has_value(); });
  });
  if (!turn_until([&] { return started; })) std::abort();
  http::Router router;
  api_.register_routes(router);
  for (const http::Route* route : router.routes()) {
    routes_.push_back(std::string(http::method_name(route->method)) + " " + route->pattern);
  }
  std::ranges::sort(routes_);
  http::Options options;
  options.port = 0;
  server_.emplace(loop_, clock_, random_, options, std::move(router));
  if (!server_->start()) std::abort();
  api_.watch(*server_);
  api_.set_readiness(Api::Readiness::ready);
}

ApiTest::~ApiTest() {
  server_.reset();
  loop_.restart();
  loop_.poll();
}

void ApiTest::pass(Duration time) {
  for (int i = 0; i < 10; ++i) {
    loop_.restart();
    loop_.poll();
    clock_.run();
  }
  clock_.advance(time);
}

Answer ApiTest::ask(const std::string& method, const std::string& target, const std::string& body,
                    const std::vector<std::string>& headers) {
  Connection connection(*this);
  connection.send(method, target, body, headers);
  return connection.receive();
}

void ApiTest::put_project() {
  put_project(kProject);
}

void ApiTest::put_project(const std::string& yaml) {
  const Answer answer = ask("PUT", "/v1/project", yaml, {"Content-Type: text/yaml"});
  ASSERT_EQ(answer.status, 200) << answer.body;
}

std::string ApiTest::start(const std::string& workflow, const std::string& input) {
  const Answer answer = post("/v1/runs", R"({"workflow":")" + workflow + R"(","input":)" + input + "}");
  EXPECT_EQ(answer.status, 201) << answer.body;
  return std::string(answer.json().at("id").as_string());
}

boost::json::value ApiTest::take(const std::string& agent) {
  const Answer answer =
      post("/v1/tasks/poll", R"({"agents":[")" + agent + R"("],"worker":"w-1","wait":"0s"})");
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto tasks = answer.json().at("tasks").as_array();
  return tasks.empty() ? boost::json::value() : tasks.front();
}

std::string ApiTest::succeed(const boost::json::value& task, const std::string& output) {
  return report(task, R"("output":)" + output);
}

std::string ApiTest::report(const boost::json::value& task, const std::string& rest) {
  const Answer answer =
      post("/v1/tasks/complete",
           R"({"results":[{"token":)" + json::serialize(task.at("token")) + "," + rest + "}]}");
  EXPECT_EQ(answer.status, 200) << answer.body;
  return std::string(answer.json().at("verdicts").at(0).as_string());
}

ApiTest::Connection::Connection(ApiTest& test) : test_(test), socket_(test.loop_) {
  socket_.connect({asio::ip::address_v4::loopback(), test.server_->port()});
  socket_.non_blocking(true);
}

void ApiTest::Connection::send(const std::string& method, const std::string& target, const std::string& body,
                               const std::vector<std::string>& headers) {
  method_ = method;
  target_ = target;
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\n";
  bool typed = false;
  bool sized = false;
  for (const std::string& header : headers) {
    text += header + "\r\n";
    typed = typed || header.starts_with("Content-Type");
    sized = sized || header.starts_with("Content-Length");
  }
  if (!typed && !body.empty()) text += "Content-Type: application/json\r\n";
  if (!sized && (!body.empty() || method != "GET"))
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n" + body;
  std::string_view rest = text;
  ASSERT_TRUE(test_.turn_until([&] {
    boost::system::error_code error;
    rest.remove_prefix(socket_.write_some(asio::buffer(rest), error));
    return rest.empty() || (error && error != asio::error::would_block);
  }));
}

bool ApiTest::Connection::read_some() {
  char piece[16 * 1024];
  boost::system::error_code error;
  received_.append(piece, socket_.read_some(asio::buffer(piece), error));
  closed_ = closed_ || (error && error != asio::error::would_block);
  return closed_;
}

std::string ApiTest::Connection::read_until(const std::string& end) {
  const bool found =
      test_.turn_until([&] { return received_.find(end) != std::string::npos || read_some(); });
  const std::size_t at = received_.find(end);
  if (!found || at == std::string::npos) return "(not received) " + received_;
  std::string text = received_.substr(0, at + end.size());
  received_.erase(0, at + end.size());
  return text;
}

Answer ApiTest::Connection::receive() {
  const std::string head = read_until("\r\n\r\n");
  Answer answer;
  if (!head.starts_with("HTTP/1.1 ")) {
    ADD_FAILURE() << "no answer to " << method_ << " " << target_ << ": " << head;
    return answer;
  }
  answer.status = std::stoi(head.substr(9));
  std::size_t at = head.find("\r\n") + 2;
  while (at + 2 < head.size()) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(": ", at);
    answer.headers[lower(head.substr(at, colon - at))] = head.substr(colon + 2, end - colon - 2);
    at = end + 2;
  }
  const std::string length = answer.headers["content-length"];
  const std::size_t size = length.empty() ? 0 : std::stoul(length);
  EXPECT_TRUE(test_.turn_until([&] { return received_.size() >= size || read_some(); }));
  answer.body = received_.substr(0, size);
  received_.erase(0, size);
  test_.reference_.check(method_, target_, answer);
  return answer;
}

void ApiTest::Connection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace ganglion::ingress
