from agentkit import function_tool


@function_tool
def google(city: str) -> str:
    """Return the weather.

    Args:
        city: Where, in google's style.
    """
    return city


@function_tool(docstring_style="sphinx")
def sphinx(city: str) -> str:
    """Return the weather.

    :param city: Where, in sphinx's style.
    """
    return city


@function_tool(docstring_style="numpy")
def numpy(city: str) -> str:
    """Return the weather.

    Parameters
    ----------
    city : str
        Where, in numpy's style.
    """
    return city


@function_tool(use_docstring_info=False, description_override="Said otherwise")
def undocumented(city: str) -> str:
    """Return the weather.

    Args:
        city: Where.
    """
    return city


for tool in (google, sphinx, numpy, undocumented):
    print(tool.description, "/", tool.params_json_schema["properties"]["city"].get("description"))
