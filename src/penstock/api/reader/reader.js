// Shows the OpenAPI document as a page: operations by noun, each with its parameters, shapes and a call by curl.
"use strict";

const put = (parent, name, text, className) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  parent.append(made);
  return made;
};

const shapeName = (schema) => (schema && schema.$ref ? schema.$ref.split("/").pop() : null);

// An example of a shape: references are followed, but never into themselves.
const example = (schema, all, seen = []) => {
  if (!schema) return null;
  const name = shapeName(schema);
  if (name) return seen.includes(name) ? name : example(all[name], all, [...seen, name]);
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return example(schema.anyOf.find((each) => each.type !== "null"), all, seen);
  if (schema.type === "array") return [example(schema.items, all, seen)];
  if (schema.properties) {
    return Object.fromEntries(Object.entries(schema.properties).map(([key, value]) => [key, example(value, all, seen)]));
  }
  if (schema.additionalProperties) return { "…": example(schema.additionalProperties, all, seen) };
  return schema.format || schema.type || "anything";
};

// What a shape is, in words.
const about = (schema, all) => (shapeName(schema) ? all[shapeName(schema)].description : null);

const curl = (method, path, operation) => {
  const words = ["curl"];
  const streams = Object.values(operation.responses).some((each) => each.content && each.content["text/event-stream"]);
  if (streams) words.push("-N");
  if (method !== "get") words.push("-X", method.toUpperCase());
  if (!operation.security) words.push('-H "Authorization: Bearer $TOKEN"');
  if (operation.requestBody) {
    words.push(`-H "Content-Type: ${Object.keys(operation.requestBody.content)[0]}"`, "--data-binary @body");
  }
  return [...words, `${location.origin}${path}`].join(" ");
};

const show = (parent, method, path, operation, all) => {
  const whole = put(parent, "details");
  const head = put(whole, "summary");
  put(head, "code", method.toUpperCase(), "method");
  put(head, "code", path);
  put(head, "span", `  ${operation.summary}`);
  const inside = put(whole, "div");
  if (operation["x-penstock-action"]) put(inside, "p", `Needs the right ${operation["x-penstock-action"]}.`);
  put(inside, "pre", curl(method, path, operation));
  if (operation.parameters) {
    const table = put(inside, "table");
    for (const each of operation.parameters) {
      const row = put(table, "tr");
      put(row, "td").append(put(document.createElement("span"), "code", each.name));
      put(row, "td", each.in + (each.required ? ", required" : ""));
      put(row, "td", JSON.stringify(example(each.schema, all)));
      put(row, "td", each.description || "");
    }
  }
  const body = operation.requestBody && Object.values(operation.requestBody.content)[0].schema;
  if (body) {
    put(inside, "h4", "Body");
    if (about(body, all)) put(inside, "p", about(body, all));
    put(inside, "pre", JSON.stringify(example(body, all), null, 2));
  }
  for (const [status, answer] of Object.entries(operation.responses)) {
    const schema = answer.content && Object.values(answer.content)[0].schema;
    if (status === "default") continue;
    put(inside, "h4", `Answer ${status}`);
    if (about(schema, all)) put(inside, "p", about(schema, all));
    if (schema) put(inside, "pre", JSON.stringify(example(schema, all), null, 2));
  }
  whole.dataset.text = `${method} ${path} ${operation.summary}`.toLowerCase();
};

const fill = (told) => {
  document.getElementById("version").textContent = told.info.version;
  document.getElementById("about").textContent = told.info.description;
  const main = document.getElementById("operations");
  main.replaceChildren();
  for (const { name } of told.tags) {
    const section = put(main, "section");
    put(section, "h2", name);
    for (const [path, methods] of Object.entries(told.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags.includes(name)) show(section, method, path, operation, told.components.schemas);
      }
    }
  }
  document.getElementById("find").addEventListener("input", (event) => {
    const text = event.target.value.toLowerCase();
    for (const each of main.querySelectorAll("details")) each.hidden = !each.dataset.text.includes(text);
  });
};

fetch("/openapi.json")
  .then((answer) => answer.json())
  .then(fill)
  .catch((error) => {
    document.getElementById("operations").textContent = `The document cannot be read: ${error}`;
  });
