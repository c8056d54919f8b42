// The transport against sockets that do what servers do on bad days.

import assert from "node:assert/strict";
import net from "node:net";
import { type TestContext, test } from "node:test";

import { Endpoint } from "../src/endpoint.js";
import { ProblemError, ServerUnavailable } from "../src/errors.js";
import { follow } from "../src/following.js";
import { Transport } from "../src/http.js";

type Peer = (socket: net.Socket, request: string, connection: number) => void;

/** Answers whatever comes in; `peer` gets each piece that the client sent, and which connection it came over. */
async function transportTo(test: TestContext, peer: Peer): Promise<Transport> {
  let connections = 0;
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const connection = connections++;
    sockets.add(socket);
    socket.on("data", (piece) => peer(socket, piece.toString("latin1"), connection));
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  const transport = new Transport(new Endpoint(`http://127.0.0.1:${port}`));
  test.after(() => {
    transport.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return transport;
}

const answer = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const get = { method: "GET", path: "/" };

test("a connection is used again", async (t) => {
  const transport = await transportTo(t, (socket, _, connection) => socket.write(answer(`${connection}`)));
  assert.equal((await transport.request(get)).json(), 0);
  assert.equal((await transport.request(get)).json(), 0);
});

test("a request on a kept connection that has ended is sent once more", async (t) => {
  let seen = 0;
  const transport = await transportTo(t, (socket, _, connection) => {
    if (seen++ === 1) socket.resetAndDestroy();
    else socket.write(answer(`${connection}`));
  });
  assert.equal((await transport.request(get)).json(), 0);
  assert.equal((await transport.request(get)).json(), 1);
  assert.equal(seen, 3);
});

test("what must not be done twice is sent once, over a connection of its own", async (t) => {
  let seen = 0;
  const transport = await transportTo(t, (socket, _, connection) => {
    if (connection === 0) socket.write(answer("0"));
    else socket.resetAndDestroy();
    seen++;
  });
  await transport.request(get);
  await assert.rejects(transport.request({ method: "POST", path: "/", once: true }), ServerUnavailable);
  assert.equal(seen, 2);
});

test("an answer that is cut short is no answer", async (t) => {
  const transport = await transportTo(t, (socket) => {
    socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[1,2]");
  });
  await assert.rejects(transport.request(get), ServerUnavailable);
});

test("something that is not HTTP is no answer", async (t) => {
  const transport = await transportTo(t, (socket) => socket.end("SSH-2.0-OpenSSH\r\n"));
  await assert.rejects(transport.request(get), ServerUnavailable);
});

test("an answer that does not come in time is none", async (t) => {
  const transport = await transportTo(t, () => undefined);
  await assert.rejects(transport.request({ ...get, timeoutMs: 50 }), /no answer within 0.05 s/);
});

test("a proxy's page is a problem, too", async (t) => {
  const transport = await transportTo(t, (socket) =>
    socket.write("HTTP/1.1 502 Bad Gateway\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\n<p/>"),
  );
  const answered = await transport.request(get);
  assert.throws(
    () => answered.json(),
    (error) =>
      error instanceof ProblemError && error.code === "http_502" && error.retryAfterMs === 7000 && error.temporary,
  );
});

test("a poll that is taken back half-closes, and takes an answer that was on its way", async (t) => {
  const stop = new AbortController();
  const transport = await transportTo(t, (socket) => {
    socket.on("end", () => socket.end(answer("[1]")));
    stop.abort();
  });
  assert.deepEqual((await transport.request(get, stop.signal)).json(), [1]);
});

test("a poll that is taken back ends soon where nothing was on its way", async (t) => {
  const stop = new AbortController();
  const transport = await transportTo(t, (socket) => {
    socket.on("end", () => socket.end());
    stop.abort();
  });
  await assert.rejects(transport.request(get, stop.signal), ServerUnavailable);
});

test("a long body waits until the server wants it, and a refusal comes through", async (t) => {
  let received = 0;
  const transport = await transportTo(t, (socket, piece) => {
    if (piece.startsWith("POST /refused")) {
      assert.match(piece, /expect: 100-continue/i);
      const refusal = '{"code":"too_large"}';
      socket.write(`HTTP/1.1 413 Content Too Large\r\nContent-Length: ${refusal.length}\r\n\r\n${refusal}`);
    } else if (piece.startsWith("POST /wanted")) {
      socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    } else {
      received += piece.length;
      if (received === 2 * 1024 * 1024) socket.write(answer("1"));
    }
  });
  const body = "x".repeat(2 * 1024 * 1024);
  const refused = await transport.request({ method: "POST", path: "/refused", body });
  assert.throws(
    () => refused.json(),
    (error) => error instanceof ProblemError && error.code === "too_large",
  );
  assert.equal(received, 0);
  assert.equal((await transport.request({ method: "POST", path: "/wanted", body })).json(), 1);
});

test("a long body is sent also to a server that says nothing before", async (t) => {
  let received = 0;
  const transport = await transportTo(t, (socket, piece) => {
    if (!piece.startsWith("POST")) received += piece.length;
    if (received === 1024 * 1024) socket.write(answer("1"));
  });
  assert.equal((await transport.request({ method: "POST", path: "/", body: "x".repeat(1024 * 1024) })).json(), 1);
});

test("nobody listens: unavailable", async () => {
  const transport = new Transport(new Endpoint("http://127.0.0.1:1"));
  await assert.rejects(transport.request(get), ServerUnavailable);
  transport.close();
});

const stream = (text: string): string => `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n${text}`;
const event = (seq: number): string => `id: ${seq}\ndata: {"seq":${seq}}\n\n`;

test("following resumes behind what was seen, drops what comes again, and believes an end only if it is one", async (t) => {
  const asked: (string | undefined)[] = [];
  const transport = await transportTo(t, (socket, request) => {
    asked.push(/last-event-id: (\d+)/i.exec(request)?.[1]);
    if (asked.length === 1) socket.end(stream(event(1) + event(2) + event(3).slice(0, 12)));
    else if (asked.length === 2) socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    else socket.end(stream(event(2) + event(3)));
  });
  let ends = 0;
  const rest = (seq: number): Promise<{ seq: number }[] | undefined> =>
    Promise.resolve(++ends === 2 ? [{ seq }, { seq: 4 }] : undefined);
  const seen: number[] = [];
  for await (const { seq } of follow(transport, "/", 0, rest, undefined)) seen.push(seq);
  assert.deepEqual(seen, [1, 2, 3, 4]);
  assert.deepEqual(asked, ["0", "2", "2"]);
});

test("following gives up on what no waiting helps against", async (t) => {
  const transport = await transportTo(t, (socket) => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
  const following = follow(transport, "/", 0, () => Promise.resolve(undefined), undefined);
  await assert.rejects(following.next(), (error) => error instanceof ProblemError && error.status === 404);
});

test("following ends without an error when it is aborted, and closes its connection", async (t) => {
  const closed = new Promise<void>((resolve) => {
    void transportTo(t, (socket) => {
      socket.on("end", resolve);
      socket.write(stream(event(1)));
    }).then(async (transport) => {
      const stop = new AbortController();
      const seen: number[] = [];
      for await (const { seq } of follow(transport, "/", 0, () => Promise.resolve(undefined), stop.signal)) {
        seen.push(seq);
        stop.abort();
      }
      assert.deepEqual(seen, [1]);
    });
  });
  await closed;
});

test("a consumer that leaves closes the connection", async (t) => {
  let left: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => {
    left = resolve;
  });
  const transport = await transportTo(t, (socket) => {
    socket.on("end", left);
    socket.write(stream(event(1)));
  });
  for await (const { seq } of follow(transport, "/", 0, () => Promise.resolve(undefined), undefined)) {
    assert.equal(seq, 1);
    break;
  }
  await closed;
});
