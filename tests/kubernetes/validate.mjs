// Holds Kubernetes objects to the schemas of their kinds: those of Kubernetes and of the Prometheus Operator that ship in
// npm's kubernetes-models. Those schemas let unknown fields pass; here a field that the schema's validator never looks at
// is one that it does not know. Reads YAML documents from standard input, prints one JSON array: {object, faults}
// for each. Run from the folder that holds node_modules.
import { readFileSync } from 'node:fs';
import * as yaml from 'js-yaml';

const PACKAGES = ['kubernetes-models', '@kubernetes-models/prometheus-operator'];

async function schemaOf(object) {
  for (const name of PACKAGES) {
    try {
      return (await import(`${name}/${object.apiVersion}/${object.kind}`))[object.kind];
    } catch (fault) {
      if (!/MODULE_NOT_FOUND|NOT_EXPORTED/.test(fault.code)) throw fault;
    }
  }
  return null;
}

// The same value, which notes in `seen` (path -> Set of names) whatever is asked of its objects; an object whose names
// are all listed is a map, in which any name is good.
function watched(value, path, seen) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((item, index) => watched(item, `${path}[${index}]`, seen));
  const asked = new Set();
  seen.set(path, { asked, names: Object.keys(value) });
  const inner = Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, watched(item, path ? `${path}.${name}` : name, seen)]));
  return new Proxy(inner, {
    get(target, name) {
      if (typeof name === 'string') asked.add(name);
      return target[name];
    },
    ownKeys(target) {
      Object.keys(target).forEach((name) => asked.add(name));
      return Reflect.ownKeys(target);
    },
  });
}

async function faultsOf(object) {
  const Schema = await schemaOf(object);
  if (!Schema) return [`no schema for ${object.apiVersion} ${object.kind}`];
  const seen = new Map();
  const faults = [];
  try {
    Schema.prototype.validate.call(watched(object, '', seen));
  } catch (fault) {
    faults.push(fault.message);
  }
  for (const [path, { asked, names }] of seen) {
    // Of an object that was not looked into at all the schema says nothing.
    if (asked.size === 0) continue;
    for (const name of names) if (!asked.has(name)) faults.push(`${path ? path + '.' : ''}${name} is unknown`);
  }
  return faults;
}

const found = [];
for (const object of yaml.loadAll(readFileSync(0, 'utf8'))) {
  if (object) found.push({ object, faults: await faultsOf(object) });
}
console.log(JSON.stringify(found));
