/** Finds the route of a request. There are few: they are gone through. */
import { Problem } from './problem.js';
import type { Route } from './route.js';

export interface FoundRoute {
  readonly route: Route;
  /** By name, decoded. */
  readonly parameters: ReadonlyMap<string, string>;
}

interface Entry {
  readonly route: Route;
  readonly segments: readonly string[];
}

export class RouteTable {
  readonly #entries: readonly Entry[];

  constructor(routes: readonly Route[]) {
    this.#entries = routes.map((route) => ({ route, segments: route.path.split('/') }));
  }

  /**
   * @param method HEAD is served as GET
   * @param path as it came, without the query
   * @throws Problem 400, 404 or 405
   */
  find(method: string, path: string): FoundRoute {
    const segments = decodeSegments(path);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const others = new Set<string>();
    for (const { route, segments: pattern } of this.#entries) {
      const parameters = match(pattern, segments);
      if (parameters === null) continue;
      if (route.method === wanted) return { route, parameters };
      others.add(route.method);
    }
    if (others.size === 0) throw new Problem(404, 'not-found', `There is nothing at ${path}`);
    if (others.has('GET')) others.add('HEAD');
    const allow = [...others].join(', ');
    throw new Problem(405, 'method-not-allowed', `${path} takes ${allow}, not ${method}`, { allow });
  }
}

function decodeSegments(path: string): string[] {
  try {
    return path.split('/').map(decodeURIComponent);
  } catch {
    throw new Problem(400, 'bad-request', 'The path has a % that begins no encoded character');
  }
}

/** @returns null if the path is another one */
function match(pattern: readonly string[], segments: readonly string[]): Map<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const parameters = new Map<string, string>();
  for (const [index, wanted] of pattern.entries()) {
    const segment = segments[index] as string;
    if (!wanted.startsWith('{')) {
      if (wanted !== segment) return null;
    } else if (segment === '') return null;
    else parameters.set(wanted.slice(1, -1), segment);
  }
  return parameters;
}
