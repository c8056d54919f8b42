#include "adapters/postgres/lib_pq.h"

#include "base/assert.h"
#include "base/shared_library.h"

namespace ganglion::postgres {
namespace {

Result<LibPq> load() {
  Result<SharedLibrary> library = SharedLibrary::open("libpq.so.5", "libpq5");
  if (!library) return std::unexpected(library.error());
  LibPq pq{};
  library->find("PQclear", pq.clear);
  library->find("PQconnectPoll", pq.connectPoll);
  library->find("PQconnectStartParams", pq.connectStartParams);
  library->find("PQconnectdbParams", pq.connectdbParams);
  library->find("PQconninfoFree", pq.conninfoFree);
  library->find("PQconninfoParse", pq.conninfoParse);
  library->find("PQconsumeInput", pq.consumeInput);
  library->find("PQenterPipelineMode", pq.enterPipelineMode);
  library->find("PQerrorMessage", pq.errorMessage);
  library->find("PQexec", pq.exec);
  library->find("PQexecParams", pq.execParams);
  library->find("PQfinish", pq.finish);
  library->find("PQflush", pq.flush);
  library->find("PQfreemem", pq.freemem);
  library->find("PQgetResult", pq.getResult);
  library->find("PQgetisnull", pq.getisnull);
  library->find("PQgetlength", pq.getlength);
  library->find("PQgetvalue", pq.getvalue);
  library->find("PQisBusy", pq.isBusy);
  library->find("PQntuples", pq.ntuples);
  library->find("PQpingParams", pq.pingParams);
  library->find("PQpipelineStatus", pq.pipelineStatus);
  library->find("PQpipelineSync", pq.pipelineSync);
  library->find("PQresultErrorField", pq.resultErrorField);
  library->find("PQresultErrorMessage", pq.resultErrorMessage);
  library->find("PQresultStatus", pq.resultStatus);
  library->find("PQsendPrepare", pq.sendPrepare);
  library->find("PQsendQueryParams", pq.sendQueryParams);
  library->find("PQsendQueryPrepared", pq.sendQueryPrepared);
  library->find("PQserverVersion", pq.serverVersion);
  library->find("PQsetNoticeProcessor", pq.setNoticeProcessor);
  library->find("PQsetnonblocking", pq.setnonblocking);
  library->find("PQsocket", pq.socket);
  library->find("PQstatus", pq.status);
  if (library->error()) return std::unexpected(*library->error());
  return pq;
}

}  // namespace

const Result<LibPq>& load_pq() {
  static const Result<LibPq> loaded = load();
  return loaded;
}

const LibPq& pq() {
  GANGLION_ASSERT(load_pq());
  return *load_pq();
}

}  // namespace ganglion::postgres
