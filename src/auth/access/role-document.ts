/**
 * The text of a file of roles, changed in one place: comments stay where they are, and what is not touched means what it did. What is
 * asked for may make no sense: whoever writes the text reads it first, as the file is read.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  YAMLMap,
  type YAMLSeq,
} from 'yaml';

/** A rule as it stands in the file. */
export interface RoleRule {
  readonly allow?: string | readonly string[] | undefined;
  readonly deny?: string | readonly string[] | undefined;
  readonly topic?: string | readonly string[] | undefined;
  readonly queue?: string | readonly string[] | undefined;
}

/** Who is given a role: a user by name, all clients, or those without a user name. */
export type Grantee =
  | { readonly kind: 'user'; readonly username: string }
  | { readonly kind: 'everybody' }
  | { readonly kind: 'anonymous' };

/** The text cannot be changed: it is no YAML, or one part of it refers to another that would be gone. */
export class UnchangeableText {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

type Place = Node | null | undefined;

export class RoleDocument {
  readonly #document: Document;
  readonly #root: YAMLMap;
  readonly #hasIndentedLists: boolean;
  readonly #lineEnd: string;
  readonly #padding: Padding;

  private constructor(document: Document, root: YAMLMap, text: string) {
    this.#document = document;
    this.#root = root;
    this.#hasIndentedLists = !/^( *)[^\s#-][^\n]*:[ \t]*\r?\n\1- /m.test(text);
    this.#padding = paddingIn(text);
    this.#lineEnd = text.includes('\r\n') ? '\r\n' : '\n';
  }

  static parse(text: string): RoleDocument | UnchangeableText {
    try {
      // Keys that are there twice are found by who reads the outcome; the library would compare each with all others.
      const options = { prettyErrors: false, uniqueKeys: false, logLevel: 'error' } as const;
      const document: Document = parseDocument(text, options);
      const [fault] = [...document.errors, ...document.warnings];
      if (fault !== undefined) return new UnchangeableText(`YAML: ${fault.message}`);
      const { contents } = document;
      if (isMap(contents)) return new RoleDocument(document, contents, text);
      if (contents !== null && !(isScalar(contents) && contents.value === null)) {
        return new UnchangeableText('expected a map of sections');
      }
      const root = new YAMLMap();
      document.contents = root;
      return new RoleDocument(document, root, text);
    } catch (error) {
      return new UnchangeableText(`YAML: ${error instanceof RangeError ? 'nested too deeply' : String(error)}`);
    }
  }

  hasRole(name: string): boolean {
    return findPair(this.#section('roles'), name) !== undefined;
  }

  /** Adds a role, or puts other rules in the place of those that it has. */
  putRole(name: string, rules: readonly RoleRule[]): void {
    const list = this.#document.createNode(rules.map(inOrder)) as YAMLSeq;
    for (const rule of list.items) (rule as YAMLMap).flow = true;
    this.#put(this.#ensureSection('roles'), name, list);
  }

  /** @returns false if it is not there */
  removeRole(name: string): boolean {
    return removePair(this.#section('roles'), name);
  }

  /** How many users have the role, and by which of the other sections it is given. */
  holdersOf(name: string): { readonly users: readonly string[]; readonly sections: readonly string[] } {
    const users = (this.#section('users')?.items ?? []).filter(({ value }) => this.#names(value).includes(name));
    const sections = ['everybody', 'anonymous'].filter((section) =>
      this.#names(findPair(this.#root, section)?.value).includes(name),
    );
    return { users: users.map(({ key }) => keyText(key)), sections };
  }

  /** @returns false if he has it already */
  grant(role: string, grantee: Grantee): boolean {
    const [map, key] = this.#place(grantee, true);
    const value = findPair(map, key)?.value;
    const names = this.#names(value);
    if (names.includes(role)) return false;
    if (isSeq(value)) value.add(this.#document.createNode(role));
    else {
      const list = this.#document.createNode([...names, role]) as YAMLSeq;
      list.flow = true;
      if (isScalar(value)) list.comment = value.comment ?? null;
      this.#put(map as YAMLMap, key, list);
    }
    return true;
  }

  /** @returns false if he has not got it */
  revoke(role: string, grantee: Grantee): boolean {
    const [map, key] = this.#place(grantee, false);
    const value = findPair(map, key)?.value;
    const names = this.#names(value);
    if (!names.includes(role)) return false;
    const left = names.filter((name) => name !== role);
    if (left.length === 0) removePair(map, key);
    else if (isSeq(value)) value.items = value.items.filter((item) => !this.#names(item).includes(role));
    else this.#put(map as YAMLMap, key, this.#document.createNode(left));
    return true;
  }

  toText(): string | UnchangeableText {
    try {
      pad(this.#document, this.#padding);
      const text = this.#document.toString({ lineWidth: 0, indentSeq: this.#hasIndentedLists });
      return this.#lineEnd === '\n' ? text : text.replaceAll('\n', this.#lineEnd);
    } catch (error) {
      return new UnchangeableText(`another part of the file refers to it: ${(error as Error).message}`);
    }
  }

  #place(grantee: Grantee, isMade: boolean): [map: YAMLMap | undefined, key: string] {
    if (grantee.kind !== 'user') return [this.#root, grantee.kind];
    return [isMade ? this.#ensureSection('users') : this.#section('users'), grantee.username];
  }

  #section(name: string): YAMLMap | undefined {
    const value = this.#resolve(findPair(this.#root, name)?.value as Place);
    return isMap(value) ? value : undefined;
  }

  #ensureSection(name: string): YAMLMap {
    const known = this.#section(name);
    if (known !== undefined) {
      // What is written into `{}` would be one long line.
      if (known.items.length === 0) known.flow = false;
      return known;
    }
    const made = new YAMLMap();
    this.#put(this.#root, name, made);
    return made;
  }

  #put(map: YAMLMap, key: string, value: Node): void {
    const pair = findPair(map, key);
    if (pair === undefined) map.items.push(this.#document.createPair(key, value));
    else pair.value = value;
  }

  /** A name, or a list of them. */
  #names(value: unknown): string[] {
    const node = this.#resolve(value as Place);
    if (isSeq(node)) return node.items.flatMap((item) => this.#names(item));
    return isScalar(node) && node.value !== null ? [String(node.value)] : [];
  }

  #resolve(node: Place): Place {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }
}

interface Padding {
  readonly list: '' | ' ';
  readonly map: '' | ' ';
}

/** `[a]` and `{ a: b }` side by side, as most people write them, is more than the library has an option for. */
function paddingIn(text: string): Padding {
  return { list: /\[ +[^\s\]]/.test(text) ? ' ' : '', map: /(?<!\$)\{[^\s}]/.test(text) ? '' : ' ' };
}

function pad(document: Document, { list, map }: Padding): void {
  visit(document, {
    Collection: (_key, node) => {
      const write = node.toString;
      const flowCollectionPadding = isSeq(node) ? list : map;
      node.toString = (context, ...rest) =>
        write.call(node, context === undefined ? context : { ...context, flowCollectionPadding }, ...rest);
    },
  });
}

function findPair(map: YAMLMap | undefined, key: string): Pair | undefined {
  return map?.items.find((pair) => keyText(pair.key) === key);
}

function removePair(map: YAMLMap | undefined, key: string): boolean {
  if (map === undefined || findPair(map, key) === undefined) return false;
  // All of them: of two, the other one would be in force then.
  map.items = map.items.filter((pair) => keyText(pair.key) !== key);
  return true;
}

/** 7 is a name, too. */
function keyText(key: unknown): string {
  return isScalar(key) ? String((key as Scalar).value) : String(key);
}

/** Effect first, and a list of one name as that name, as people write it. */
function inOrder({ allow, deny, topic, queue }: RoleRule): object {
  const parts = { allow, deny, topic, queue };
  return Object.fromEntries(
    Object.entries(parts)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, Array.isArray(value) && value.length === 1 ? value[0] : value]),
  );
}
