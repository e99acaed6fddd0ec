/**
 * Whether manifests are what Kubernetes takes: types and required fields by the validators of kubernetes-models, which let unknown
 * fields pass, and those by the attributes of the classes of @kubernetes/client-node. Both are made from the
 * API's own description.
 */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import type { Manifest } from './chart.js';

const tools = createRequire(new URL('../../../tools/helm/package.json', import.meta.url));

interface Attribute {
  readonly name: string;
  readonly baseName: string;
  /** `V1PodSpec`, `Array<V1Container>`, `{ [key: string]: string; }`, `string` … */
  readonly type: string;
}

interface ModelClass {
  getAttributeTypeMap(): readonly Attribute[];
}

interface Validator {
  validate(): void;
}

const classes = (await load('@kubernetes/client-node')) as Readonly<Record<string, ModelClass | undefined>>;

/** @returns what is wrong with it, none if nothing is */
export async function findings(manifest: Manifest): Promise<readonly string[]> {
  const { apiVersion, kind } = manifest;
  const subject = `${kind} ${manifest.metadata?.name}`;
  const version = String(apiVersion).split('/').at(-1) ?? '';
  const typeName = version[0]?.toUpperCase() + version.slice(1) + kind;
  if (classes[typeName] === undefined) return [`${subject}: there is no ${kind} in ${apiVersion}`];
  return [...(await typeFindings(manifest)), ...unknownFields(manifest, typeName, kind), ...nameFindings(manifest)].map(
    (finding) => `${subject}: ${finding}`,
  );
}

async function typeFindings(manifest: Manifest): Promise<string[]> {
  const models = await load(`kubernetes-models/${manifest.apiVersion}`);
  const Model = models[manifest.kind] as new (manifest: Manifest) => Validator;
  try {
    new Model(manifest).validate();
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

function* unknownFields(value: Manifest, typeName: string, path: string): Generator<string> {
  const item = /^Array<(.+)>$/.exec(typeName)?.[1] ?? /^\{ \[key: string\]: (.+); \}$/.exec(typeName)?.[1];
  if (item !== undefined) {
    for (const [key, child] of Object.entries(value ?? {})) yield* unknownFields(child, item, `${path}[${key}]`);
    return;
  }
  const attributes = classes[typeName]?.getAttributeTypeMap();
  if (attributes === undefined || typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    if (attribute === undefined) yield `${path}.${key} is no field of ${typeName}`;
    else yield* unknownFields(child, attribute.type, `${path}.${key}`);
  }
}

const LABEL_VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const DNS_LABEL = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
const PORT_NAME = /^(?=.*[a-z])(?!.*--)[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/;

/** What the API server checks and the types do not say. */
function* nameFindings({ kind, metadata, spec }: Manifest): Generator<string> {
  const wanted = kind === 'Service' ? DNS_LABEL : SUBDOMAIN;
  if (!wanted.test(metadata.name)) yield `cannot be called ${metadata.name}`;
  // The name of a pod with the hash of its revision is the value of a label.
  if (kind === 'StatefulSet' && metadata.name.length > 52) yield `the name ${metadata.name} is too long for its pods`;
  const labels = [metadata.labels, spec?.selector?.matchLabels, spec?.template?.metadata?.labels];
  for (const [key, value] of labels.flatMap((each) => Object.entries(each ?? {}))) {
    if (typeof value !== 'string' || !LABEL_VALUE.test(value)) yield `label ${key} cannot be ${value}`;
  }
  for (const { name } of spec?.template?.spec?.containers?.flatMap((each: Manifest) => each.ports ?? []) ?? []) {
    if (!PORT_NAME.test(name)) yield `a port cannot be called ${name}`;
  }
}

async function load(specifier: string): Promise<Record<string, unknown>> {
  return await import(pathToFileURL(tools.resolve(specifier)).href);
}
