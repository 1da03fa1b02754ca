<%@ WebService Language="C#" Class="CustomerApi" %>
