/** Reading a database: what is in it, and what the role that is connected may do there. */
import type { Catalog } from '../core/catalog/types.ts';
import type { MissingRight, RequiredRight } from '../core/catalog/rights.ts';

export interface CatalogScope {
  /** Only these schemas; all but the system's where left out. */
  readonly schemas?: readonly string[];
}

/** A connection that only reads. */
export interface CatalogReader {
  /** Throws `ConnectionError` where the database goes away, `CatalogError` where it can't be read. */
  readCatalog(scope?: CatalogScope): Promise<Catalog>;
  /** Those of the rights that the connected role does not have, in the order asked for. */
  missingRights(required: readonly RequiredRight[]): Promise<readonly MissingRight[]>;
  close(): Promise<void>;
}

/** A URL, and the name of the setting that it came from: only the name is ever shown. */
export interface DatabaseAddress {
  readonly setting: string;
  readonly url: string;
}

export type OpenCatalog = (address: DatabaseAddress) => Promise<CatalogReader>;

export type ConnectionErrorCode =
  | 'invalid-url'
  | 'unknown-host'
  | 'unreachable'
  | 'timeout'
  | 'tls'
  | 'wrong-credentials'
  | 'unknown-database'
  | 'not-allowed'
  | 'too-many-connections'
  | 'starting-up'
  | 'lost'
  | 'refused';

/** A database can't be reached, or is gone. Holds nothing of the URL. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  readonly code: ConnectionErrorCode;
  /** Name of the environment variable that holds the URL. */
  readonly setting: string;
  readonly advice: string;

  constructor(code: ConnectionErrorCode, setting: string, message: string, advice: string) {
    super(`${setting}: ${message}`);
    this.code = code;
    this.setting = setting;
    this.advice = advice;
  }
}

export type CatalogErrorCode = 'unsupported-version' | 'unknown-schema' | 'unreadable';

/** The database answers, but its catalog can't be read as it is. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';
  readonly code: CatalogErrorCode;
  readonly advice: string;

  constructor(code: CatalogErrorCode, message: string, advice: string) {
    super(message);
    this.code = code;
    this.advice = advice;
  }
}
