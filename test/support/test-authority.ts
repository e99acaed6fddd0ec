/** A certificate authority that lives as long as a test, by the openssl command: keys are made when they are needed, and never kept. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface IssueOptions {
  /** Of the subject, as openssl takes it. Default: the name as its CN. */
  readonly subject?: string;
  /** `DNS:localhost,IP:127.0.0.1` */
  readonly alternativeNames?: string;
  /** Negative: it has expired. Default 3650. */
  readonly days?: number;
  /** The file has the authority's certificate behind its own. */
  readonly isChained?: boolean;
  /** It may issue certificates itself. */
  readonly isAuthority?: boolean;
}

export interface IssuedCertificate {
  /** Paths. */
  readonly certificate: string;
  readonly key: string;
}

const CONFIGURATION = `
[ca]
default_ca = authority
[authority]
database = ./index.txt
new_certs_dir = .
certificate = ./ca.pem
private_key = ./ca.key
serial = ./serial
default_md = sha256
policy = anything
copy_extensions = copy
unique_subject = no
default_crl_days = 30
[anything]
commonName = optional
organizationName = optional
emailAddress = optional
[req]
distinguished_name = name
x509_extensions = root
[name]
[root]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
`;

export class TestAuthority {
  readonly #directory: string;
  #issued = 0;

  /** @param directory made for it */
  constructor(directory: string, name = 'authority') {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'openssl.cnf'), CONFIGURATION);
    writeFileSync(join(directory, 'index.txt'), '');
    writeFileSync(join(directory, 'serial'), '1000\n');
    this.#openssl(
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '36500'],
      ['-subj', `/CN=${name}`, '-keyout', 'ca.key', '-out', 'ca.pem'],
    );
  }

  /** One for all tests of a file; to be called outside of them. */
  static ofFile(name?: string): TestAuthority {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-ca-'));
    afterAll(() => rmSync(directory, { recursive: true, force: true }));
    return new TestAuthority(directory, name);
  }

  /** Its own certificate. */
  get certificate(): string {
    return join(this.#directory, 'ca.pem');
  }

  get pem(): string {
    return readFileSync(this.certificate, 'utf8');
  }

  issue(
    name: string,
    { subject = `/CN=${name}`, alternativeNames, days = 3650, isChained, isAuthority }: IssueOptions = {},
  ): IssuedCertificate {
    const file = `${++this.#issued}-${name.replaceAll(/[^a-z0-9]/gi, '-')}`;
    const extensions = alternativeNames === undefined ? [] : ['-addext', `subjectAltName=${alternativeNames}`];
    if (isAuthority === true) extensions.push('-addext', 'basicConstraints=critical,CA:TRUE');
    this.#openssl(
      ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-utf8', '-subj', subject],
      ['-keyout', `${file}.key`, '-out', `${file}.csr`, ...extensions],
    );
    const validity = days < 0 ? ['-startdate', '20200101000000Z', '-enddate', '20200201000000Z'] : ['-days', `${days}`];
    this.#openssl(['ca', '-batch', '-notext', ...validity, '-in', `${file}.csr`, '-out', `${file}.pem`]);
    const certificate = join(this.#directory, `${file}.pem`);
    if (isChained === true) appendFileSync(certificate, this.pem);
    return { certificate, key: join(this.#directory, `${file}.key`) };
  }

  /** Another one, which this one vouches for. */
  authorityBelow(name: string): TestAuthority {
    const below = new TestAuthority(join(this.#directory, name), name);
    const { certificate, key } = this.issue(name, { isAuthority: true });
    copyFileSync(certificate, join(below.#directory, 'ca.pem'));
    copyFileSync(key, join(below.#directory, 'ca.key'));
    return below;
  }

  /** For `localhost` and 127.0.0.1. */
  issueServer(name: string, options: IssueOptions = {}): IssuedCertificate {
    return this.issue(name, { alternativeNames: 'DNS:localhost,IP:127.0.0.1', ...options });
  }

  revoke({ certificate }: IssuedCertificate): void {
    this.#openssl(['ca', '-revoke', certificate]);
  }

  /** Writes the list of what has been revoked so far. @returns its path */
  revocationList(file = 'crl.pem'): string {
    this.#openssl(['ca', '-gencrl', '-out', file]);
    return join(this.#directory, file);
  }

  #openssl(...args: readonly (readonly string[])[]): void {
    const all = args.flat();
    // The configuration stands behind the command, in front of its options.
    const [command = '', ...options] = all;
    try {
      execFileSync('openssl', [command, '-config', 'openssl.cnf', ...options], { cwd: this.#directory, stdio: 'pipe' });
    } catch (error) {
      const { stderr } = error as { readonly stderr?: Buffer };
      throw new Error(`openssl ${all.join(' ')}: ${stderr?.toString() ?? String(error)}`);
    }
  }
}
