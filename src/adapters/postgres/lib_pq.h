#pragma once

// libpq, loaded when a store in PostgreSQL is opened: with it come Kerberos and LDAP, 4 MiB that no other
// server needs. Its functions by their names without `PQ`.

#include <libpq-fe.h>

#include "base/result.h"

namespace ganglion::postgres {

struct LibPq {
  decltype(&::PQclear) clear;
  decltype(&::PQconnectPoll) connectPoll;
  decltype(&::PQconnectStartParams) connectStartParams;
  decltype(&::PQconnectdbParams) connectdbParams;
  decltype(&::PQconninfoFree) conninfoFree;
  decltype(&::PQconninfoParse) conninfoParse;
  decltype(&::PQconsumeInput) consumeInput;
  decltype(&::PQenterPipelineMode) enterPipelineMode;
  decltype(&::PQerrorMessage) errorMessage;
  decltype(&::PQexec) exec;
  decltype(&::PQexecParams) execParams;
  decltype(&::PQfinish) finish;
  decltype(&::PQflush) flush;
  decltype(&::PQfreemem) freemem;
  decltype(&::PQgetResult) getResult;
  decltype(&::PQgetisnull) getisnull;
  decltype(&::PQgetlength) getlength;
  decltype(&::PQgetvalue) getvalue;
  decltype(&::PQisBusy) isBusy;
  decltype(&::PQntuples) ntuples;
  decltype(&::PQpingParams) pingParams;
  decltype(&::PQpipelineStatus) pipelineStatus;
  decltype(&::PQpipelineSync) pipelineSync;
  decltype(&::PQresultErrorField) resultErrorField;
  decltype(&::PQresultErrorMessage) resultErrorMessage;
  decltype(&::PQresultStatus) resultStatus;
  decltype(&::PQsendPrepare) sendPrepare;
  decltype(&::PQsendQueryParams) sendQueryParams;
  decltype(&::PQsendQueryPrepared) sendQueryPrepared;
  decltype(&::PQserverVersion) serverVersion;
  decltype(&::PQsetNoticeProcessor) setNoticeProcessor;
  decltype(&::PQsetnonblocking) setnonblocking;
  decltype(&::PQsocket) socket;
  decltype(&::PQstatus) status;
};

// Error `unavailable` where the library isn't there or is too old; then every call gives it.
const Result<LibPq>& load_pq();

// After load_pq() has succeeded.
const LibPq& pq();

}  // namespace ganglion::postgres
