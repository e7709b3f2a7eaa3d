// How does a script say require("@kestra-io/libs")? By what it can tell under the other name, as one object.
"use strict";

const Kestra = Object.assign(function () {}, require("../../penstock"));

Kestra._send = Kestra.send;
Kestra.default = Kestra;
Kestra.Kestra = Kestra;

module.exports = Kestra;
