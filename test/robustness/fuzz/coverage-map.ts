/**
 * Which parts of the built broker have been reached, by V8's block coverage. A part is what lies between two places at
 * which execution can part: V8 tells the ranges of functions and blocks, and their edges cut a file into parts.
 */

/** As V8 and the inspector give it. */
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}

export interface FolderFigures {
  readonly folder: string;
  readonly reached: number;
  readonly parts: number;
}

interface FileMap {
  readonly edges: Set<number>;
  /** By character; grows with the largest range. */
  reached: Uint8Array;
}

const BUILT = /\/dist\/([a-z]+)\/[^/]+\.js$/;

export class CoverageMap {
  readonly #files = new Map<string, FileMap>();

  /** @returns whether something was reached that had not been reached before */
  add(scripts: readonly ScriptCoverage[]): boolean {
    let isNew = false;
    for (const { url, functions } of scripts) {
      if (!BUILT.test(url)) continue;
      const file = this.#files.get(url) ?? { edges: new Set(), reached: new Uint8Array(0) };
      this.#files.set(url, file);
      if (addFunctions(file, functions)) isNew = true;
    }
    return isNew;
  }

  figures(folders: readonly string[]): FolderFigures[] {
    return folders.map((folder) => {
      let reached = 0;
      let parts = 0;
      for (const [url, file] of this.#files) {
        if (BUILT.exec(url)?.[1] !== folder) continue;
        const edges = [...file.edges].sort((a, b) => a - b);
        // The last edge is the end of the file.
        for (const start of edges.slice(0, -1)) {
          parts++;
          reached += file.reached[start] as number;
        }
      }
      return { folder, reached, parts };
    });
  }
}

function addFunctions(file: FileMap, functions: ScriptCoverage['functions']): boolean {
  const end = Math.max(0, ...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
  if (end > file.reached.length) {
    const grown = new Uint8Array(end);
    grown.set(file.reached);
    file.reached = grown;
  }
  const now = new Uint8Array(end);
  // Outer ranges come before those within them.
  const ranges = functions.flatMap((one) => one.ranges);
  ranges.sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
  for (const { startOffset, endOffset, count } of ranges) {
    file.edges.add(startOffset).add(endOffset);
    now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  let isNew = false;
  for (let at = 0; at < end; at++) {
    if (now[at] === 0 || file.reached[at] === 1) continue;
    file.reached[at] = 1;
    isNew = true;
  }
  return isNew;
}
