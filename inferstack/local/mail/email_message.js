// What `cloudflare:email` gives to Workers; `raw` is for the binding alone.
class EmailMessage {
  constructor(from, to, raw) {
    this.from = from;
    this.to = to;
    Object.defineProperty(this, "EmailMessage::raw", { value: raw });
  }
}

export default { EmailMessage };
