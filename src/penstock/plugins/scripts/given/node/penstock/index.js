// What can a script tell Penstock? Lines ::{…}:: on standard output, so it works wherever its output is read.
"use strict";

const format = (what) => `::${JSON.stringify(what)}::`;

const send = (what) => {
  process.stdout.write(`${format(what)}\n`);
};

const number = (name, type, value, tags) => send({ metrics: [{ name, type, value, tags: tags || {} }] });

const outputs = (values) => send({ outputs: values });

const counter = (name, value = 1, tags = {}) => number(name, "counter", value, tags);

const gauge = (name, value, tags = {}) => number(name, "gauge", value, tags);

// A span in seconds, or a function: it gets another one, to be called when the work is done.
const timer = (name, duration, tags = {}) => {
  if (typeof duration !== "function") {
    number(name, "timer", duration, tags);
    return;
  }
  const began = process.hrtime.bigint();
  duration(() => number(name, "timer", Number(process.hrtime.bigint() - began) / 1e9, tags));
};

const progress = (done, total = null, unit = "") => send({ progress: { done, total, unit } });

const text = (part) => (typeof part === "string" ? part : JSON.stringify(part));

const log = (message, level = "INFO") => send({ logs: [{ level, message: text(message) }] });

const files = (...globs) => send({ files: globs });

const saveState = (state) => send({ state });

const reads = (namespace, name, more = {}) => send({ reads: [{ namespace, name, ...more }] });

const writes = (namespace, name, more = {}) => send({ writes: [{ namespace, name, ...more }] });

const snooze = (seconds = true) => send({ snooze: seconds });

const logger = () => {
  const at = (level) => (...parts) => log(parts.map(text).join(" "), level);
  return { trace: at("TRACE"), debug: at("DEBUG"), info: at("INFO"), warn: at("WARN"), error: at("ERROR") };
};

module.exports = {
  counter, files, format, gauge, log, logger, outputs, progress, reads, saveState, send, snooze, timer, writes,
};
