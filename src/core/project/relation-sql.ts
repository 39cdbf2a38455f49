/** The SQL by which a model reads each of its relations, and what it depends on for them. */
import type { QualifiedName, View } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { identifier } from '../translate/identifiers.ts';
import type { SqlPart } from '../translate/types.ts';
import type { PlannedModel, Reader, Resolution } from './arrange.ts';
import type { ProjectContext } from './context.ts';
import { escapeJinja, jinjaString } from './jinja.ts';
import { reindent } from './layout.ts';
import { NameRegistry, safeName } from './names.ts';
import type { RelationPart } from './parts.ts';
import type { Sources } from './sources.ts';
import { viewParts } from './view-sql.ts';

/** A CTE in front of the author's that gives a relation the shape the model needs. */
export interface ImportCte {
  readonly name: string;
  readonly comment: string;
  readonly body: string;
}

export interface Dependencies {
  readonly models: ReadonlySet<PlannedModel>;
  readonly existing: ReadonlySet<string>;
  readonly sources: ReadonlyMap<string, QualifiedName>;
  /** Models that change a table whose state before the run is read here. */
  readonly waiting: ReadonlySet<PlannedModel>;
  readonly readsThis: boolean;
}

export function refCall(model: string): string {
  return `ref(${jinjaString(model)})`;
}

export function sourceCall(sources: Sources, table: QualifiedName): string {
  const { source, name } = sources.use(table);
  return `source(${jinjaString(source)}, ${jinjaString(name)})`;
}

/** Fills the relation holes of one query, and collects what that takes. */
export class RelationSql {
  readonly #context: ProjectContext;
  readonly #reader: Reader;
  readonly #names: NameRegistry;
  readonly #imports = new Map<string, ImportCte>();
  readonly #models = new Set<PlannedModel>();
  readonly #existing = new Set<string>();
  readonly #sourceTables = new Map<string, QualifiedName>();
  readonly #waiting = new Set<PlannedModel>();
  #readsThis = false;

  /** `takenNames`: words that an import CTE must not be called by. */
  constructor(context: ProjectContext, reader: Reader, takenNames: Iterable<string>) {
    this.#context = context;
    this.#reader = reader;
    this.#names = new NameRegistry(takenNames);
  }

  get imports(): readonly ImportCte[] {
    return [...this.#imports.values()];
  }

  get dependencies(): Dependencies {
    return {
      models: this.#models,
      existing: this.#existing,
      sources: this.#sourceTables,
      waiting: this.#waiting,
      readsThis: this.#readsThis,
    };
  }

  /**
   * What stands in FROM for a relation. `following` is the text behind it: where that gives no
   * alias, the text around knows the relation by its own name, which must then stay.
   */
  render(part: RelationPart, following: string): string {
    const written = this.#relation(part);
    if (written.name === part.table.name || startsWithAlias(following)) return written.sql;
    return `${written.sql} as ${escapeJinja(identifier(part.table.name))}`;
  }

  #relation(part: RelationPart): { readonly sql: string; readonly name: string } {
    const resolution = this.#context.arrangement.resolve(this.#reader, part);
    switch (resolution.kind) {
      case 'this':
        this.#readsThis = true;
        return this.#import(part.table, resolution, () => this.#formerRows(part.table));
      case 'model': {
        const { model } = resolution;
        this.#models.add(model);
        return { sql: `{{ ${refCall(model.name)} }}`, name: model.relation.name };
      }
      case 'existing':
        this.#existing.add(resolution.name);
        return { sql: `{{ ${refCall(resolution.name)} }}`, name: part.table.name };
      case 'source': {
        const { table, built } = resolution;
        this.#sourceTables.set(qualified(table), table);
        if (built === null) {
          const { sources } = this.#context;
          return {
            sql: `{{ ${sourceCall(sources, table)} }}`,
            name: sources.use(table).table.name,
          };
        }
        this.#waiting.add(built);
        return this.#import(table, resolution, () => this.#guardedRows(table));
      }
      case 'inline':
        return this.#import(part.table, resolution, () => this.#viewRows(resolution.view));
    }
  }

  #import(table: QualifiedName, resolution: Resolution, body: () => string) {
    const key = qualified(table);
    const known = this.#imports.get(key);
    if (known) return { sql: known.name, name: known.name };
    const inline = resolution.kind === 'inline';
    const base = safeName(table.name);
    const name = this.#names.claim(inline ? [base, `${base}_view`] : [`${base}_before`]);
    const comment = inline
      ? `the view ${key} as this step of the pipeline sees it`
      : `${key} as it was before this run`;
    // The body first: what a view reads must stand in front of it.
    const text = body();
    this.#imports.set(key, { name, comment, body: text });
    return { sql: name, name };
  }

  #formerRows(table: QualifiedName): string {
    return this.#either('is_incremental()', '{{ this }}', table);
  }

  #guardedRows(table: QualifiedName): string {
    const source = sourceCall(this.#context.sources, table);
    return this.#either(`sprocket_table_exists(${source})`, `{{ ${source} }}`, table);
  }

  /** The rows of a relation, or none of the same shape where it does not exist yet. */
  #either(condition: string, relation: string, table: QualifiedName): string {
    const columns = this.#context
      .columns(table)
      .map(
        ({ name, type }) =>
          `        null${type === null ? '' : `::${type}`} as ${escapeJinja(identifier(name))}`,
      );
    return [
      `    {% if ${condition} %}`,
      `    select * from ${relation}`,
      '    {% else %}',
      '    select',
      columns.join(',\n'),
      '    where false',
      '    {% endif %}',
    ].join('\n');
  }

  #viewRows(view: View): string {
    const parts = viewParts(view);
    const text = parts
      .map((part, index) => {
        if (part.kind === 'relation') return this.render(part, textOf(parts[index + 1]));
        return escapeJinja(textOf(part));
      })
      .join('');
    return reindent(text, 4);
  }
}

/** The text of a part that is text. */
export function textOf(part: SqlPart | undefined): string {
  return part?.kind === 'text' ? part.text : '';
}

/** True where SQL behind a table's name goes on with an alias. */
function startsWithAlias(following: string): boolean {
  const word = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*("|[\p{L}_][\p{L}\p{N}_$]*)/u.exec(
    following,
  )?.[1];
  if (word === undefined) return false;
  const name = word.toLowerCase();
  // Words that need quotes as a name can't be an alias without AS: they go on with the query.
  return word === '"' || name === 'as' || identifier(name) === name || /[^a-z0-9_]/u.test(name);
}
