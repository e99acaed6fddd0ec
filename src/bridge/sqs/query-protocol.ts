/**
 * The older protocol: a form of dotted names, answered in XML. Its names are those of the JSON protocol in the singular, with numbers behind:
 *
 *   MessageAttribute.1.Name=a&MessageAttribute.1.Value.DataType=String   ◀▶   {"MessageAttributes": {"a": {"DataType": "String"}}}
 */
import type { HttpRequest } from './http-request.js';
import type { SqsOutput } from './sqs-call.js';
import { SqsError } from './sqs-error.js';
import type { SqsProtocol } from './sqs-protocol.js';
import { xmlElement } from './xml-writer.js';

const NAMESPACE = 'http://queue.amazonaws.com/doc/2012-11-05/';
const STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

const MOST_FIELDS = 2000;
const DEEPEST = 8;

/** Lists, and what they are called in JSON. */
const LISTS: Readonly<Record<string, string>> = {
  AttributeName: 'AttributeNames',
  MessageAttributeName: 'MessageAttributeNames',
  MessageSystemAttributeName: 'MessageSystemAttributeNames',
  TagKey: 'TagKeys',
  SendMessageBatchRequestEntry: 'Entries',
  DeleteMessageBatchRequestEntry: 'Entries',
  ChangeMessageVisibilityBatchRequestEntry: 'Entries',
};

/** SDKs that have an empty list to send say so under its name in JSON. */
const LIST_NAMES: ReadonlySet<string> = new Set(Object.values(LISTS));

/** Maps, what they are called in JSON, and the names of key and value. */
const MAPS: Readonly<Record<string, readonly [json: string, key: string]>> = {
  Attribute: ['Attributes', 'Name'],
  MessageAttribute: ['MessageAttributes', 'Name'],
  MessageSystemAttribute: ['MessageSystemAttributes', 'Name'],
  Tag: ['Tags', 'Key'],
};

type Tree = Map<string, Tree | string>;

export const queryProtocol: SqsProtocol = {
  contentType: 'text/xml',

  decode(request) {
    const tree = treeOf(parametersOf(request));
    const action = tree.get('Action');
    if (typeof action !== 'string') throw new SqsError('UnknownOperationException', 'The request names no Action.');
    const fields = fieldsOf(tree);
    // The queue may be named by where the request was sent.
    if (fields['QueueUrl'] === undefined && request.url.length > 1) fields['QueueUrl'] = request.url;
    return { action, fields };
  },

  encode(action, output, requestId) {
    const namespace = action === 'GetCallerIdentity' ? STS_NAMESPACE : NAMESPACE;
    const result = output === null ? '' : `<${action}Result>${resultOf(action, output)}</${action}Result>`;
    const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
    return `<?xml version="1.0"?><${action}Response xmlns="${namespace}">${result}${metadata}</${action}Response>`;
  },

  encodeError(error, requestId) {
    const fault = error.isSendersFault ? 'Sender' : 'Receiver';
    const fields = { Type: fault, Code: error.queryCode, Message: error.message };
    return `<?xml version="1.0"?><ErrorResponse xmlns="${NAMESPACE}">${xmlElement('Error', fields)}<RequestId>${requestId}</RequestId></ErrorResponse>`;
  },
};

function parametersOf({ method, url, body }: HttpRequest): URLSearchParams {
  const query = url.indexOf('?');
  const parameters = new URLSearchParams(query === -1 ? '' : url.slice(query + 1));
  if (method !== 'POST') return parameters;
  for (const [name, value] of new URLSearchParams(body.toString())) parameters.append(name, value);
  return parameters;
}

/** @throws SqsError */
function treeOf(parameters: URLSearchParams): Tree {
  const tree: Tree = new Map();
  if (parameters.size > MOST_FIELDS) throw malformed('The request has too many parameters.');
  for (const [name, value] of parameters) {
    const path = name.split('.');
    if (path.length > DEEPEST) throw malformed('A parameter has too many parts.');
    let node = tree;
    for (const part of path.slice(0, -1)) {
      const below = node.get(part) ?? new Map<string, Tree | string>();
      if (typeof below === 'string') throw malformed(`The parameter ${name} has two meanings.`);
      node.set(part, below);
      node = below;
    }
    node.set(path.at(-1) ?? '', value);
  }
  return tree;
}

function fieldsOf(tree: Tree): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of tree) {
    const list = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
    const map = Object.hasOwn(MAPS, name) ? MAPS[name] : undefined;
    if (list !== undefined) fields[list] = itemsOf(value).map(plain);
    else if (map !== undefined) fields[map[0]] = mapOf(itemsOf(value), map[1]);
    else setOwn(fields, name, LIST_NAMES.has(name) && value === '' ? [] : plain(value));
  }
  return fields;
}

function plain(value: Tree | string): unknown {
  return typeof value === 'string' ? value : fieldsOf(value);
}

/** What stands under numbers, in their order. A name without a number is the only item; an empty one says that there is none. */
function itemsOf(tree: Tree | string): (Tree | string)[] {
  if (typeof tree === 'string') return tree === '' ? [] : [tree];
  return [...tree].sort(([one], [other]) => Number(one) - Number(other)).map(([, item]) => item);
}

function mapOf(items: readonly (Tree | string)[], keyName: string): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  for (const item of items) {
    const key = typeof item === 'string' ? undefined : item.get(keyName);
    if (typeof item === 'string' || typeof key !== 'string') throw malformed(`An entry of a map has no ${keyName}.`);
    setOwn(map, key, plain(item.get('Value') ?? ''));
  }
  return map;
}

/** Whatever the name is: `__proto__` as well. */
function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function malformed(message: string): SqsError {
  return new SqsError('SerializationException', message);
}

/** Names of list items and of maps' entries in XML, by their names in JSON. */
function resultOf(action: string, output: NonNullable<SqsOutput>): string {
  return Object.entries(output)
    .map(([name, value]) => memberOf(action, name, value))
    .join('');
}

function memberOf(action: string, name: string, value: unknown): string {
  switch (name) {
    case 'Messages':
      return repeated('Message', value, (item) => messageOf(item));
    case 'QueueUrls':
    case 'queueUrls':
      return (value as readonly string[]).map((url) => xmlElement('QueueUrl', url)).join('');
    case 'Successful':
      return repeated(`${action}ResultEntry`, value);
    case 'Failed':
      return repeated('BatchResultErrorEntry', value);
    case 'Results':
      return repeated(`${action}ResultEntry`, value);
    case 'Attributes':
      return entriesOf('Attribute', 'Name', value);
    case 'Tags':
      return entriesOf('Tag', 'Key', value);
    default:
      return xmlElement(name, value);
  }
}

function messageOf(message: Readonly<Record<string, unknown>>): string {
  return Object.entries(message)
    .map(([name, value]) => {
      if (name === 'Attributes') return entriesOf('Attribute', 'Name', value);
      if (name === 'MessageAttributes') return entriesOf('MessageAttribute', 'Name', value);
      return xmlElement(name, value);
    })
    .join('');
}

function repeated(
  element: string,
  items: unknown,
  inside = (item: Readonly<Record<string, unknown>>): string =>
    Object.entries(item)
      .map(([name, value]) => xmlElement(name, value))
      .join(''),
): string {
  return (items as readonly Readonly<Record<string, unknown>>[])
    .map((item) => `<${element}>${inside(item)}</${element}>`)
    .join('');
}

function entriesOf(element: string, keyName: string, map: unknown): string {
  return Object.entries(map as Readonly<Record<string, unknown>>)
    .map(([key, value]) => xmlElement(element, { [keyName]: key, Value: value }))
    .join('');
}
