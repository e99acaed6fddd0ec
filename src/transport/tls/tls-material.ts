/**
 * The content of a listener's files, read and found to fit together: what TLS is served with until the next reload.
 * Everything that is wrong is found at once, and told with the file, the line and the option that names it.
 */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { FileUnreadable, readBoundedFile } from './bounded-file.js';
import { type PemBlock, pemBlocks } from './pem-block.js';
import type { CertificateFiles, TlsOptions } from './tls-options.js';

/** The way to an option of {@link TlsOptions}. */
export type TlsOptionPath = readonly (string | number)[];

export interface TlsProblem {
  readonly option: TlsOptionPath;
  /** `server.pem`, or `server.pem:31` where one line is meant. */
  readonly where: string;
  readonly message: string;
}

export interface LoadedCertificate {
  readonly files: CertificateFiles;
  /** With its chain. */
  readonly certificate: string;
  readonly key: string;
  readonly leaf: X509Certificate;
  readonly validFromMs: number;
  readonly validToMs: number;
}

export interface TlsMaterial {
  /** At least one. */
  readonly certificates: readonly LoadedCertificate[];
  readonly ca: string | undefined;
  /** One list each. */
  readonly crl: readonly string[];
  /** Of what decides which clients are let in. */
  readonly trustFingerprint: string;
}

export interface TlsFilesRead {
  /** Undefined if there are problems. */
  readonly material: TlsMaterial | undefined;
  readonly problems: readonly TlsProblem[];
  /** Of the files' content and of what cannot be read: the same for the same state of the files. */
  readonly fingerprint: string;
}

/** The files that the options name. */
export function filesOf({ certificates, ca, crl = [] }: TlsOptions): string[] {
  return [
    ...certificates.flatMap(({ certificate, key }) => [certificate, key]),
    ...(ca === undefined ? [] : [ca]),
    ...crl,
  ];
}

/** Reads and checks all files. */
export function readTlsFiles(options: TlsOptions): TlsFilesRead {
  return check(options, contentsOf(options));
}

/** The same, unless the files are as they were when their fingerprint was `known`: then it is null, and cheap. */
export function readTlsFilesUnless(known: string, options: TlsOptions): TlsFilesRead | null {
  const contents = contentsOf(options);
  return fingerprintOf(contents) === known ? null : check(options, contents);
}

type Contents = ReadonlyMap<string, string | FileUnreadable>;

function contentsOf(options: TlsOptions): Contents {
  return new Map(filesOf(options).map((file) => [file, readBoundedFile(file)]));
}

function fingerprintOf(contents: Contents): string {
  return digest([...contents.values()].map((text) => (text instanceof FileUnreadable ? `\0${text.reason}` : text)));
}

function check(options: TlsOptions, contents: Contents): TlsFilesRead {
  const reading = new Reading(contents);
  const certificates = options.certificates.map((files, index) => reading.pair(files, ['certificates', index]));
  const ca = options.ca === undefined ? undefined : reading.authorities(options.ca, ['ca']);
  const crl = (options.crl ?? []).flatMap((file, index) => reading.revocationLists(file, ['crl', index]));
  const { problems } = reading;
  const fingerprint = fingerprintOf(contents);
  if (problems.length > 0) return { material: undefined, problems, fingerprint };
  const trustFingerprint = digest([ca ?? '', ...crl]);
  return {
    material: { certificates: certificates as LoadedCertificate[], ca, crl, trustFingerprint },
    problems,
    fingerprint,
  };
}

class Reading {
  readonly problems: TlsProblem[] = [];
  readonly #contents: Contents;

  constructor(contents: Contents) {
    this.#contents = contents;
  }

  pair(files: CertificateFiles, option: TlsOptionPath): LoadedCertificate | undefined {
    const chain = this.#certificates(files.certificate, [...option, 'certificate']);
    const key = this.#key(files.key, [...option, 'key']);
    const [leaf] = chain?.certificates ?? [];
    if (chain === undefined || leaf === undefined || key === undefined) return undefined;
    if (!leaf.checkPrivateKey(key.key)) {
      const message = `this is not the key of the certificate in ${files.certificate} (${nameOf(leaf)})`;
      this.#refuse([...option, 'key'], files.key, message);
      return undefined;
    }
    const loaded = {
      files,
      certificate: chain.text,
      key: key.text,
      leaf,
      validFromMs: Date.parse(leaf.validFrom),
      validToMs: Date.parse(leaf.validTo),
    };
    // The last word is OpenSSL's: keys that are too short, signatures by methods that nobody trusts any more.
    const refusal = refusalOf({ cert: loaded.certificate, key: loaded.key });
    if (refusal === undefined) return loaded;
    this.#refuse([...option, 'certificate'], files.certificate, refusal);
    return undefined;
  }

  authorities(file: string, option: TlsOptionPath): string | undefined {
    return this.#certificates(file, option)?.text;
  }

  revocationLists(file: string, option: TlsOptionPath): string[] {
    const lists = this.#blocks(file, option)?.filter(({ label }) => label === 'X509 CRL');
    if (lists?.length === 0) this.#refuse(option, file, 'there is no revocation list in it, as PEM (BEGIN X509 CRL)');
    for (const { line, text } of lists ?? []) {
      if (refusalOf({ crl: text }) !== undefined)
        this.#refuse(option, `${file}:${line}`, 'this revocation list cannot be read');
    }
    return (lists ?? []).map(({ text }) => text);
  }

  #certificates(
    file: string,
    option: TlsOptionPath,
  ): { readonly certificates: readonly X509Certificate[]; readonly text: string } | undefined {
    const blocks = this.#blocks(file, option)?.filter(({ label }) => label === 'CERTIFICATE');
    if (blocks === undefined) return undefined;
    if (blocks.length === 0) {
      this.#refuse(option, file, 'there is no certificate in it, as PEM (BEGIN CERTIFICATE)');
      return undefined;
    }
    const certificates = blocks.map((block) => this.#certificate(block, file, option));
    if (certificates.includes(undefined)) return undefined;
    return { certificates: certificates as X509Certificate[], text: blocks.map(({ text }) => text).join('') };
  }

  #certificate({ line, text }: PemBlock, file: string, option: TlsOptionPath): X509Certificate | undefined {
    try {
      return new X509Certificate(text);
    } catch {
      this.#refuse(option, `${file}:${line}`, 'this certificate cannot be read');
      return undefined;
    }
  }

  #key(file: string, option: TlsOptionPath): { readonly key: KeyObject; readonly text: string } | undefined {
    const blocks = this.#blocks(file, option);
    const block = blocks?.find(({ label }) => label.endsWith('PRIVATE KEY'));
    if (blocks === undefined) return undefined;
    if (block === undefined) {
      this.#refuse(option, file, 'there is no private key in it, as PEM (BEGIN PRIVATE KEY)');
      return undefined;
    }
    const where = `${file}:${block.line}`;
    if (block.label.startsWith('ENCRYPTED') || block.text.includes('Proc-Type: 4,ENCRYPTED')) {
      this.#refuse(
        option,
        where,
        'the key has a passphrase: nobody is there to type it at a reload; store the key without one',
      );
      return undefined;
    }
    try {
      return { key: createPrivateKey(block.text), text: block.text };
    } catch {
      this.#refuse(option, where, 'this key cannot be read');
      return undefined;
    }
  }

  #blocks(file: string, option: TlsOptionPath): PemBlock[] | undefined {
    const text = this.#contents.get(file);
    if (typeof text === 'string') return pemBlocks(text);
    this.#refuse(option, file, text?.reason ?? 'was not read');
    return undefined;
  }

  #refuse(option: TlsOptionPath, where: string, message: string): void {
    this.problems.push({ option, where, message });
  }
}

/** How people call it: its first name, or its subject. */
export function nameOf(leaf: X509Certificate): string {
  const name = /(?:^|, )DNS:([^,"]+)/.exec(leaf.subjectAltName ?? '')?.[1];
  return name ?? leaf.subject?.replaceAll('\n', ', ') ?? 'without a name';
}

function refusalOf(options: { cert?: string; key?: string; crl?: string }): string | undefined {
  try {
    createSecureContext(options);
    return undefined;
  } catch (error) {
    return `OpenSSL does not take it: ${(error as { reason?: string }).reason ?? (error as Error).message}`;
  }
}

function digest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('base64');
}
