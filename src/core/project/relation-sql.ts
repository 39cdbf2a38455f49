/** The SQL by which a model reads each of its relations, and what it depends on for them. */
import type { QualifiedName, View } from '../catalog/types.ts';
import { qualified } from '../catalog/names.ts';
import { identifier } from '../translate/identifiers.ts';
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

  /** What stands in FROM for a relation; usable with or without an alias behind it. */
  render(part: RelationPart): string {
    const resolution = this.#context.arrangement.resolve(this.#reader, part);
    switch (resolution.kind) {
      case 'this':
        this.#readsThis = true;
        return this.#import(part.table, resolution, () => this.#formerRows(part.table));
      case 'model':
        this.#models.add(resolution.model);
        return `{{ ${refCall(resolution.model.name)} }}`;
      case 'existing':
        this.#existing.add(resolution.name);
        return `{{ ${refCall(resolution.name)} }}`;
      case 'source':
        this.#sourceTables.set(qualified(resolution.table), resolution.table);
        if (resolution.built === null)
          return `{{ ${sourceCall(this.#context.sources, part.table)} }}`;
        this.#waiting.add(resolution.built);
        return this.#import(part.table, resolution, () => this.#guardedRows(part.table));
      case 'inline':
        return this.#import(part.table, resolution, () => this.#viewRows(resolution.view));
    }
  }

  #import(table: QualifiedName, resolution: Resolution, body: () => string): string {
    const key = qualified(table);
    const known = this.#imports.get(key);
    if (known) return known.name;
    const inline = resolution.kind === 'inline';
    const base = safeName(table.name);
    const name = this.#names.claim(inline ? [base, `${base}_view`] : [`${base}_before`]);
    const comment = inline
      ? `the view ${key} as this step of the pipeline sees it`
      : `${key} as it was before this run`;
    // The body first: what a view reads must stand in front of it.
    const text = body();
    this.#imports.set(key, { name, comment, body: text });
    return name;
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
    const text = viewParts(view)
      .map((part) => {
        if (part.kind === 'relation') return this.render(part);
        return part.kind === 'text' ? escapeJinja(part.text) : '';
      })
      .join('');
    return reindent(text, 4);
  }
}
