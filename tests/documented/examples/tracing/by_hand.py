from agentkit import custom_span, gen_trace_id, get_current_span, get_current_trace, trace

trace_id = gen_trace_id()
made = trace("By hand", trace_id=trace_id, group_id="chat_1", metadata={"who": "me"})
made.start(mark_as_current=True)
print(get_current_trace() is made, made.trace_id == trace_id)
with custom_span("outer", data={"step": 1}) as outer:
    with custom_span("inner") as inner:
        print(inner.parent_id == outer.span_id, inner.trace_id == trace_id, get_current_span() is inner)
print(outer.started_at < outer.ended_at, outer.span_data.data)
made.finish(reset_current=True)
print(get_current_trace())
