// The pipeline as a Restate service: three `ctx.run` steps, each journalled by the server before the next one starts.
//
//   service.mjs --port PORT

import * as restate from "@restatedev/restate-sdk";

// The SDK asks for Node 22; this is what it lacks in Node 20.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const step = (value) => value;

const pipeline = restate.service({
  name: "Pipeline",
  handlers: {
    run: async (ctx, input) => {
      let value = input;
      for (const name of ["first", "second", "third"]) value = await ctx.run(name, () => step(value));
      return value;
    },
  },
});

restate.serve({ services: [pipeline], port: +process.argv[process.argv.indexOf("--port") + 1] });
