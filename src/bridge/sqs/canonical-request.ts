/** The parts of a request in the one form in which both sides sign it. */
import type { HttpRequest } from './http-request.js';
import { SqsError } from './sqs-error.js';

export const SIGNATURE_PARAMETER = 'X-Amz-Signature';

type Parameters = readonly (readonly [name: string, value: string])[];

const NO_PARAMETERS: Parameters = [];

/** Each segment encoded once more than it was sent, `.` and `..` followed. */
export function canonicalPath(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  if (path === '/' || path === '') return '/';
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(encode(segment));
  }
  return `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`;
}

/** Decoded. @throws SqsError */
export function queryParameters(url: string): Parameters {
  const start = url.indexOf('?');
  if (start === -1) return NO_PARAMETERS;
  return url
    .slice(start + 1)
    .split('&')
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const equals = parameter.indexOf('=');
      const name = equals === -1 ? parameter : parameter.slice(0, equals);
      return [decode(name), equals === -1 ? '' : decode(parameter.slice(equals + 1))] as const;
    });
}

/** In order of names, then of values. */
export function canonicalQuery(parameters: Parameters): string {
  if (parameters.length === 0) return '';
  return parameters
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([name, value], [otherName, otherValue]) => compare(name, otherName) || compare(value, otherValue))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** A line for each: values of one name with commas between, blanks at the ends gone and others single. */
export function canonicalHeaders({ rawHeaders }: HttpRequest, names: readonly string[]): string {
  const values = new Map<string, string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] as string).toLowerCase();
    const sent = (rawHeaders[at + 1] as string).trim();
    const value = sent.includes('  ') ? sent.replaceAll(/ {2,}/g, ' ') : sent;
    const before = values.get(name);
    values.set(name, before === undefined ? value : `${before},${value}`);
  }
  return names.map((name) => `${name}:${values.get(name) ?? ''}\n`).join('');
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new SqsError('IncompleteSignatureException', 'The query of the request cannot be read.');
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
