/**
 * Names for what is repeated: `$name = …`, `$name(a, b) = …`, and after `@` the versions that a definition is for. A macro
 * is told from others by its name, the number of its parameters and the version.
 */
import type { CaseSource } from './case-source.js';
import type { Version } from './statement-list.js';
import { errorAt, type Token, tokensOf } from './tokens.js';

interface Macro {
  readonly parameters: readonly string[];
  readonly body: readonly Token[];
}

const DEFINITION = /^\$([a-zA-Z][a-zA-Z0-9]*)(?:\(([a-zA-Z0-9, ]*)\))?(?:@([345](?:,[345])*))?\s*=/;
const DEEPEST = 20;

export class MacroTable {
  readonly #macros: Map<string, Macro>;

  /** @param inherited macros that may be used and covered up */
  constructor(inherited?: MacroTable) {
    this.#macros = new Map(inherited === undefined ? [] : inherited.#macros);
  }

  /** @throws CaseError if the line is no definition */
  define(source: CaseSource): void {
    const match = DEFINITION.exec(source.text);
    if (match === null) throw source.errorAt(0, 'a definition is $name = …, $name(parameter) = … or $name@4,5 = …');
    const [head, name = '', list = '', versions = '3,4,5'] = match;
    const parameters = list.split(',').flatMap((parameter) => parameter.trim() || []);
    const macro = { parameters, body: tokensOf(source, head.length) };
    for (const version of versions.split(',')) {
      this.#macros.set(keyOf(name, parameters.length, Number(version)), macro);
    }
  }

  /** The tokens with every macro replaced, and the client of its caller in every step that names none. */
  expand(tokens: readonly Token[], version: Version): Token[] {
    return this.#expand(tokens, version, { client: '', bindings: new Map(), depth: 0 });
  }

  #expand(tokens: readonly Token[], version: Version, scope: Scope): Token[] {
    const expanded: Token[] = [];
    for (let at = 0; at < tokens.length; at++) {
      const token = tokens[at] as Token;
      const client = token.client || scope.client;
      const bound = token.kind === 'macro' ? scope.bindings.get(token.text) : undefined;
      if (bound !== undefined) expanded.push(...bound);
      else if (token.kind === 'macro') expanded.push(...this.#expandCall(token, [], version, { ...scope, client }));
      else if (token.kind === 'call') {
        const [values, end] = argumentsAt(tokens, at + 1, token);
        const expandedValues = values.map((value) => this.#expand(value, version, scope));
        expanded.push(...this.#expandCall(token, expandedValues, version, { ...scope, client }));
        at = end;
      } else expanded.push(client === token.client ? token : { ...token, client });
    }
    return expanded;
  }

  #expandCall(call: Token, values: readonly Token[][], version: Version, caller: Scope): Token[] {
    const macro = this.#macros.get(keyOf(call.text, values.length, version));
    if (macro === undefined) {
      throw errorAt(call, `MQTT version ${version} has no macro $${call.text} with ${values.length} parameters`);
    }
    if (caller.depth === DEEPEST) throw errorAt(call, `the macro $${call.text} uses itself`);
    const bindings = new Map(macro.parameters.map((name, index) => [name, values[index] as Token[]]));
    return this.#expand(macro.body, version, { client: caller.client, bindings, depth: caller.depth + 1 });
  }
}

interface Scope {
  readonly client: string;
  readonly bindings: ReadonlyMap<string, readonly Token[]>;
  readonly depth: number;
}

function keyOf(name: string, parameters: number, version: number): string {
  return `${name}/${parameters}@${version}`;
}

/** The values up to the closing bracket, which commas outside of inner brackets separate. */
function argumentsAt(tokens: readonly Token[], start: number, call: Token): [values: Token[][], end: number] {
  const values: Token[][] = [[]];
  let depth = 0;
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    const mark = token.kind === 'mark' ? token.text : '';
    if (mark === ')' && depth === 0) return [values.length === 1 && values[0]?.length === 0 ? [] : values, at];
    if (mark === '(' || mark === '[' || token.kind === 'call') depth++;
    if (mark === ')' || mark === ']') depth--;
    if (mark === ',' && depth === 0) values.push([]);
    else values.at(-1)?.push(token);
  }
  throw errorAt(call, `the bracket of $${call.text} is not closed`);
}
