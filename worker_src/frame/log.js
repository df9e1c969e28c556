// One line of JSON for each request: who, what, how long, which models, tokens and cost. No texts of callers.

/** @typedef {{ prompt_tokens?: number, completion_tokens?: number, total_tokens?: number }} Usage */
/** @typedef {{ name: string, price?: { input: number, output: number } | null }} Priced */

const MILLION = 1e6;

export class Log {
  /** @param {Record<string, unknown>} fields */
  constructor(fields) {
    this.fields = fields;
    this.started = Date.now();
    /** Set by whoever answers with a stream and logs at its end. */
    this.deferred = false;
    this.written = false;
    this.tokens = { prompt: 0, completion: 0 };
    this.usd = 0;
    /** @type {string[]} */
    this.models = [];
    /** @type {string[]} */
    this.failures = [];
  }

  /** @param {Priced} model @param {Usage | null | undefined} usage */
  used(model, usage) {
    this.models.push(model.name);
    const { prompt_tokens: prompt = 0, completion_tokens: completion = 0 } = usage ?? {};
    this.tokens.prompt += prompt;
    this.tokens.completion += completion;
    if (model.price) this.usd += (prompt * model.price.input + completion * model.price.output) / MILLION;
  }

  /** @param {string} model @param {string} why */
  failed(model, why) {
    this.failures.push(`${model}: ${why}`);
  }

  /** @param {number} status @param {Record<string, unknown>} [more] */
  write(status, more = {}) {
    if (this.written) return;
    this.written = true;
    const line = {
      level: status >= 500 ? "error" : "info",
      ...this.fields,
      status,
      ms: Date.now() - this.started,
      ...(this.models.length > 0 && { models: this.models, tokens: this.tokens, usd: Number(this.usd.toFixed(8)) }),
      ...(this.failures.length > 0 && { failures: this.failures }),
      ...more,
    };
    console.log(JSON.stringify(line));
  }
}
